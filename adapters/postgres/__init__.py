"""Stores the truth in PostgreSQL.

Enter at `store`: one transaction, put together from the subjects, which commits claims, audit events and steps
together. A subject's folder holds, in each file, a table, its columns as written, its reads and its writes.
`statements` builds them, `schema` gathers the tables, `queries` is the base of what people and programs read,
`engine` connects and translates errors, and `migrations` brings a database to the schema.

A new table stands in its subject's file, in `schema`, in the order of `store.WRITES`, and in a migration.
"""
