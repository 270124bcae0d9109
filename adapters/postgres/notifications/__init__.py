"""Stores notifications.

Enter at `deliveries` for messages and their attempts, at `groups` for grouping and digests, at `silences` for
silences and maintenance windows, and at `destinations` for those that were added by command.

A *delivery* is one message to one destination; a group *gathers* news until its digest is due.
"""
