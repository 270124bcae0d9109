"""Files of other systems: reading them, and importing their items as messages.

A reader (`ingest.ocpp`, `ingest.ocpi`, `ingest.tables`) yields `items`, one for each row or object; `importer`
delivers their events in batches and accounts for every item. `text` decodes text files, `json_documents` finds the
objects in JSON.
"""
