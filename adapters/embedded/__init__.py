"""Embeds the servers, for an installation that needs none.

Enter at `postgres` (a real PostgreSQL from a wheel), `redis` (a Redis in memory), and `data_folder`, which keeps a
second `up` off the data of the first. Words: *embedded* means within this process or started by it; a URL in the
settings takes the place of each part.
"""
