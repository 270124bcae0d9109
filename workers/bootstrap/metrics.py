"""What a process counts, and what is read from the database when it is scraped."""

from prometheus_client import CollectorRegistry

from adapters.prometheus import DatabaseCollector, Metrics
from workers.bootstrap.queries import Queries


def build(queries: Queries) -> Metrics:
    """Builds the metrics on a registry of their own."""
    registry = CollectorRegistry()
    registry.register(DatabaseCollector(queries.reports.figures))
    return Metrics(registry)
