"""Stores what the field reports.

Enter at `faults`, `usage` and `spots` for messages that were ingested, and at `quarantine` for those that were
refused. `known_messages` and `idempotency` keep repetitions out, `station_memory` keeps what the frames of OCPP
stations left open, and `reconciliation` compares what is stored with what publishers were confirmed.

A record of a session is *current* when it is the latest of it; a *stray* clear belongs to no claim.
"""
