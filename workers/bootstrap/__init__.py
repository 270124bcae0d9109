"""The composition root: every adapter is constructed here, and nowhere else.

`app.build` lays the foundation (settings, clock, policy, database) and returns an `App`. On it stand six parts, a
module and a small dataclass each, and each is built when somebody first asks the `App` for it: `queries` (what
people read), `live` (what lies in Redis), `notifications`, `audit`, `services` (what people do) and `work` (how
batches and steps travel); `intake`, `steps` and `metrics` build what carries those out and counts them. So
`spotclaim claims` opens the database and nothing else. The `ExitStack` that `build` is given closes all of it.
"""
