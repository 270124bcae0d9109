"""Commands for incidents: `incidents`, `incident`, `detect`.

`incidents` lists them and is what people do with one: acknowledge, close, merge, split, state the cause, decide
all claims. `incident_view` lays out one incident's story. `detect` runs detection over recorded faults, and stores
nothing.
"""
