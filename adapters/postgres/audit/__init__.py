"""Stores the audit record.

Enter at `events` for the chains, one for each claim or incident, at `log` for the one order over all events and
its signed checkpoints, and at `snapshot` for the whole record as the verifier replays it.

A *head* is the hash of a chain's last event, a *leaf* an event in the Merkle tree over the log.
"""
