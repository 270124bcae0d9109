"""RabbitMQ: consuming queues in batches, and publishing as a controller would.

`consumer` reads what has arrived, has a listener turn it into a batch and acknowledges it once it is durable;
`topology` declares exchange and queues; `publisher` sends CloudEvents with confirms.
"""
