"""Stores incidents and the baselines of their detection.

Enter at `incidents` for incidents and the claims linked to them, at `sightings` for what detection counts, and at
`queries` for what people and programs read. `baselines` learns what is usual, by the statements in `baseline_sql`.

A *group* is an error code at a place, which is a zone or a model.
"""
