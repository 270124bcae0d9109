"""Redis: detection windows and the live feed, both disposable.

`windows` implements `domain.incidents.windows.Windows`, `feed` implements `domain.ports.store.Feed`. Losing Redis
loses no truth: windows are rebuilt from PostgreSQL.
"""
