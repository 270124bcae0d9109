"""CloudEvents, the wire format of every message.

Enter at `decode`: bytes in, faults, usage records, spots or quarantined messages out. `types` has the shapes,
`strict_json` the JSON that PostgreSQL can store, `split_array` the items of a list, `schemas` describes it all for
other programs, `redecode` replays messages from quarantine, and `ledger` records what a publisher sent.
"""
