"""Eligibility: is a claim true, and does the warranty cover it?

Enter at `verify.verify`, which turns *verdicts* into what follows for the claims. `rules` has the named rules, and
`usage_rule` the one that asks what the spot recorded, of an `allocation` failure or a `discrepancy`; each passes,
fails or is insufficient, with a reason, a sentence and facts. `question` says which usage records are read.
*Findings* are what is wrong with usage records: by their own figures (`record_findings`), beside other sessions
(`session_findings`), in their times (`time_findings`), by what their meters signed (`signed`); `corroboration`
says which bear out which error code.
"""
