"""The audit log outside the database: signing key, checkpoint files and archives.

`signing_key` signs checkpoints with Ed25519 and checks signatures; `checkpoint_file` appends and reads
checkpoints; `archive` exports the audit log into one file, and reads it back for verification without a database.
"""
