"""Ports: what the inside needs of the outside, as small protocols that adapters implement.

`store` has what actions need: the *transaction* with its locking reads and one way to record changes, evidence
files, the notifier, the live feed. `queries` has what people and programs read, as JSON-ready rows. Errors are
those of `domain.errors`: an adapter never lets a library's exception through. `tests/contracts` runs one suite
over every implementation.
"""
