"""URLs of destinations: which may be used, what of them may be shown, and what never."""

import re
from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

# What may carry a notification. `log` writes a line into Spotclaim's own log.
SCHEMAS = frozenset(
    """
    log mailto mailtos json jsons form forms xml xmls slack workflows discord tgram mmost mmosts rocket
    rockets matrix matrixs gchat ntfy ntfys gotify gotifys pagerduty opsgenie signl4 victorops
    """.split()  # noqa: SIM905
)
# Elsewhere a part of the secret may stand where these have the host.
_NAMING_THEIR_HOST = frozenset(
    "mailto mailtos json jsons form forms xml xmls mmost mmosts rocket rockets gotify gotifys workflows".split()  # noqa: SIM905
)
_SHORTEST_SECRET = 4


def schema(url: str) -> str:
    """The schema, in small letters; empty for a text that has none."""
    try:
        return urlsplit(url).scheme
    except ValueError:
        return ""


def shown(url: str) -> str:
    """What people may see: the schema, and the host where that is known to be one, as in `mailto://example.org`."""
    kind = schema(url)
    host = (urlsplit(url).hostname or "") if kind in _NAMING_THEIR_HOST else "…"
    return f"{kind}://{host}"


def secrets(url: str) -> list[str]:
    """Everything in a URL that may be a secret: user, password, path and query; the host, if it is none."""
    parts = urlsplit(url)
    pieces = re.split(r"[/&=?]", f"{parts.path}/{parts.query}")
    account, _, host = parts.netloc.rpartition("@")
    pieces += account.split(":", 1)
    if parts.scheme not in _NAMING_THEIR_HOST:
        pieces.append(host.partition(":")[0])
    found = {unquote(piece) for piece in pieces} | set(pieces)
    return sorted((piece for piece in found if len(piece) >= _SHORTEST_SECRET), key=len, reverse=True)


def redacted(answer: str, hidden: Iterable[str]) -> str:
    """The answer in at most 300 characters, without what is to stay hidden."""
    for secret in hidden:
        answer = answer.replace(secret, "***")
    return answer[:300]
