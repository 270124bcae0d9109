"""Reads policy files: YAML in, a checked `domain.policy.policy.Policy` out.

Enter at `reader`, which reports every mistake with its line; `document` holds the sections and their
contradictions, `fields` the values that each setting may take.
"""
