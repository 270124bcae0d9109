"""OCPP 1.6, 2.0.1 and 2.1: frames of stations become events.

A log (`log`) or a queue (`queue`) gives frames (`frame`), `reader.Stations` hands each to the module of its action
(`faults`, `reservations`, `transactions` for 1.6, `sessions` for 2.x), and `station` keeps what is needed of a
station between its frames. `schemas` finds departures from the standard; `error_codes` finds the cause behind an
`OtherError`.
"""
