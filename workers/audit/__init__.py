"""Keeps and verifies the audit record. README.md in this folder is the manual.

Enter at `verify`, the *verifier*: it replays a *snapshot* of the database or an *archive*, in parts and in as many
processes as there are processors. `chain_replay` replays one part, `incident_links` compares which claims belong
to which incidents, `checkpoint_verification` holds the log against checkpoints, and `findings` says what is wrong.
While the system runs, `sequencer` gives each event its position in the log and `signing` makes checkpoints.
`inclusion_proof` proves one event to somebody who holds a checkpoint.
"""
