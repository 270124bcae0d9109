"""Stores who may do what.

Enter at `tokens` for the API tokens that tell who asks and in which role, and at `delegations` for the authority
that one person lends to another.
"""
