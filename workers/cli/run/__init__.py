"""Commands that run a process until it is stopped, and those that check and set up an installation.

The roles are `up`, `ingest`, `worker`, `relay`, `scheduler` and `console`; `workers.roles` has what each runs.
`migrate` brings the database to the present schema. `reconcile`, `doctor`, `policy check` and `settings` check,
and `users` says who may ask, in which role.
"""
