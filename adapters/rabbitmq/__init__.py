"""RabbitMQ with Dramatiq: fast transport of batches and steps.

`connection` bounds every wait, `dramatiq` makes the broker safe to rely on (and has its in-process twin), and
`batch_codec` encodes the batches that travel. PostgreSQL holds the truth: a lost or repeated message changes
nothing.
"""
