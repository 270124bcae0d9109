"""Claims: one for a spot and an error code while it is open, however many faults report it.

Enter at `claim.Claim`, the state, `lifecycle`, the table of where a claim can go, and `events`, what happens to
it. `deduplication` counts a fault with its claim or opens one; `hold_down` observes an error first (*episode*,
*flapping*). `approval` has the *stages* and who may decide them, `decide` what a person decides (*delegation*,
*version*). `sla` has the two *clocks*, and its `read` is the only way to read one. The *state key* tells whether a
claim is still as it was when a step was scheduled.
"""
