"""Ingestion: everything by which messages and requests enter Spotclaim.

Each endpoint decodes and validates once; what is refused goes to quarantine with its reason and bytes.
`cloudevents` is the wire format that all others are translated into; `rabbitmq` consumes and publishes it, `api`
is the HTTP API, `console` the web pages, `ocpp`, `ocpi`, `tables` and `files` read other systems' data, and
`simulator` invents a fleet. Whatever was read is delivered as a `domain.field.batch.Batch`.
"""
