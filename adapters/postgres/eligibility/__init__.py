"""Reads what decides whether a claim is eligible.

Enter at `evaluation_reads`: for each claim of a batch its spot, the usage records that bear on it, its last
verdict, the errors as they were reported, and the kinds of evidence on file. Nothing is written here: a verdict is
an audit event.
"""
