"""Stores steps, the jobs of the transactional outbox.

Enter at `steps` for what a transaction adds, takes and ends, and at `queue` for how the relay leases what is due
and is woken.

A *lease* keeps other relays from sending a step again until it ends.
"""
