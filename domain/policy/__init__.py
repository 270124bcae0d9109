"""Holds the operator's rules and the field's fixed tables that every subject reads.

`policy.py` defines what an operator sets, and `policy.yaml` is the built-in policy; `adapters/policy` reads and
checks the file. `error_codes.py` maps the error codes of stations to Spotclaim's own. `calendar.py` counts working
time. `roles.py` says which role may do what, in one place.

A *policy* is immutable and has a digest. Each verdict names the digest of its policy, so that it can be verified
later under the policy that was in force.
"""
