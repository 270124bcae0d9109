"""Destination URLs: allowed schemas, and what may be shown of a URL."""

import re
from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

# The allowed schemas. `log` writes a line into Spotclaim's own log.
SCHEMAS = frozenset(
    """
    log mailto mailtos json jsons form forms xml xmls slack workflows discord tgram mmost mmosts rocket
    rockets matrix matrixs gchat ntfy ntfys gotify gotifys pagerduty opsgenie signl4 victorops
    """.split()  # noqa: SIM905
)
# Other schemas may have a part of the secret in place of the host.
_NAMING_THEIR_HOST = frozenset(
    "mailto mailtos json jsons form forms xml xmls mmost mmosts rocket rockets gotify gotifys workflows".split()  # noqa: SIM905
)
_SHORTEST_SECRET = 4


def schema(url: str) -> str:
    """Returns the schema in lower case; empty for a text that has none."""
    try:
        return urlsplit(url).scheme
    except ValueError:
        return ""


def shown(url: str) -> str:
    """Returns the schema, and the host where it is no secret, as in `mailto://example.org`."""
    kind = schema(url)
    host = (urlsplit(url).hostname or "") if kind in _NAMING_THEIR_HOST else "…"
    return f"{kind}://{host}"


def secrets(url: str) -> list[str]:
    """Returns every part of a URL that may be a secret, the longest first.

    User, password, path and query; the host where the schema puts a secret there.
    """
    parts = urlsplit(url)
    pieces = re.split(r"[/&=?]", f"{parts.path}/{parts.query}")
    account, _, host = parts.netloc.rpartition("@")
    pieces += account.split(":", 1)
    if parts.scheme not in _NAMING_THEIR_HOST:
        pieces.append(host.partition(":")[0])
    found = {unquote(piece) for piece in pieces} | set(pieces)
    return sorted((piece for piece in found if len(piece) >= _SHORTEST_SECRET), key=len, reverse=True)


def redacted(answer: str, hidden: Iterable[str]) -> str:
    """Returns the answer without secrets, in at most 300 characters."""
    for secret in hidden:
        answer = answer.replace(secret, "***")
    return answer[:300]
