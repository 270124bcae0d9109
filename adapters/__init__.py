"""Adapters of the outside systems, one package or module for each.

Each implements a port of `domain.ports` and translates a library's exceptions into those of `domain.errors`:
`postgres` (the truth), `rabbitmq` (transport), `redis` (windows and feed, disposable), `apprise` (notifications),
`policy` (policy files), `audit` (keys, checkpoints, archives), `prometheus`, `object_store`, `file_types`,
`embedded`. They are constructed in the composition root.
"""
