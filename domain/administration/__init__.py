"""What administrators do is on record as what happens to claims is.

Enter at `act`, the base of *administrative acts*. `people_acts` are about who may act, and who acts for whom;
`operating_acts` about what is muted, where messages go, what became of a refused message, which policy and which
signing key took effect. `things` has what they are about; each has a chain of its own, whose every event states
the thing as the act left it.
"""
