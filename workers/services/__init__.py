"""Services: what sources, people and programs ask for, each in one transaction.

`intake` records a batch, whatever source it came from. `decisions`, `evidence`, `incidents`, `quarantine` and
`destinations` are what people do; the HTTP API and the command line call the same. `notifying` is what every step
that notifies does alike, and `circuit_breaker` leaves a destination alone that hangs. `sla_explanation` says what
clocks show and why, `detection_replay` runs detection over recorded faults, `unstorable` keeps what the database
refused.
"""
