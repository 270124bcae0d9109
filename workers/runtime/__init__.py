"""What carries work through a process, and knows nothing of claims.

A *step* is a row of the outbox. `relay` leases due steps and sends their ids to the broker; `actors` registers
what receives them, one actor for each kind and one for intake; `step_runner` carries steps out and splits off what
fails. Background services share the loop of `service`: the relay, `audit_service` (sequencer and checkpoints) and
`baseline_service`. `cached_thresholds` has the thresholds that are in force. `log_setup` configures log lines, and
`escaping` makes text from outside safe for a terminal.
"""
