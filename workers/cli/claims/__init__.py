"""Commands that show claims and add to them: `claims`, `claim`, `verify`, `evidence`.

`claims` lists claims and shows one, whose story `claim_view` lays out: verdict, clocks, timeline, notifications
and audit chain. `verify` explains what the rules would find now, and changes nothing. `evidence` adds and lists
what a claim rests on.
"""
