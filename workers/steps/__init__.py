"""One module a step: load what the batch needs, ask the domain, hand the decision to the store."""
