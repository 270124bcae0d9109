"""The audit record as a structure: chains, one log over all of them, and checkpoints.

Enter at `chain`: every action on a claim or an incident is an *event* whose hash covers the one before it. `event`
is the base of its kinds: what one did to its *subject*, its body on record, and one sentence for people. `merkle`
is the RFC 6962 tree over all events, with proofs that an event is in it and that one log continues another. A
*checkpoint* (`checkpoint`) is the signed root at one moment, on one line, to be kept where nobody can alter it.
`workers.audit` verifies a whole record.
"""
