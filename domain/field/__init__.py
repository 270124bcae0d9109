"""What the field reports, decoded and validated, before it means anything for a claim.

Enter at `batch.Batch`: the messages that are made durable together. A *fault* (`fault`) says that an error
occurred on a spot, or that it cleared. A *usage record* (`usage`) says what a spot recorded of one session, with
what its meter signed (`signed_value`). A
*spot* (`spot`) is one EVSE as its operator registers it. *Quarantine* (`quarantine`) keeps a message that could
not be understood until somebody replays or discards it.
"""
