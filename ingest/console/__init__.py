"""The console: web pages that show claims and incidents.

`routes` has the paths, `pages` renders the templates with every value escaped, `history` words audit events. The
pages only show: decisions are taken through `ingest.api`.
"""
