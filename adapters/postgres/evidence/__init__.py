"""Stores evidence.

Enter at `items` for what was filed for a claim or came with its faults, and at `files` for the bytes of uploads,
where they are kept in the database.

A piece is *reported* when it came with a fault, and *filed* when somebody added it to a claim.
"""
