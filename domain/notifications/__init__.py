"""Notifications: who is notified of what, when, and what became of it.

A *notice* (`notice`) is what happened to a claim or an incident. `routing` finds its destinations by the policy
and the *silences* (`silence`). `grouping` sends the first message of a *group* (`group`) at once and what follows
in *digests*, under each destination's *rate limit*. A *delivery* (`delivery`) is one message to one destination;
`attempts` records what came of each attempt and schedules the next. Sending is a port,
`domain.ports.store.Notifier`.
"""
