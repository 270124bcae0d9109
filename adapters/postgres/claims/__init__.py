"""Stores claims and the policies that bound them.

Enter at `claims` for what a transaction reads and writes, at `queries` for what people and programs read, and at
`policies` for every version of the policy that was ever loaded.

A claim is *open* until it is closed; there is one for a spot and an error code, which an index holds.
"""
