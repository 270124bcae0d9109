"""Tables of a few rows, and what is read in them."""

import io
from typing import Any

from ingest.files.items import Item, RefusedItem, Translated
from ingest.tables.mapping import Record
from ingest.tables.reader import Table

DUNDEE = "source,spot_id,connector,session_id,start,end,kwh,site,zone,model,tz,flags"
FAULTS = "fault_id,spot_id,connector_id,taxonomy,code,info,occurred_at,cleared,time_zone,description\n"


def dundee(**cells: str) -> str:
    """One row in the form of the Dundee data, whole unless changed."""
    whole = {
        "source": "dundee",
        "spot_id": "50913",
        "connector": "2",
        "session_id": "731",
        "start": "2018-06-06T03:01:00",
        "end": "2018-06-06T07:59:00",
        "kwh": "17.483",
        "site": "Lochee",
        "zone": "Dundee",
        "model": "APT 22kW",
        "tz": "Europe/London",
        "flags": "",
    }
    return ",".join((whole | cells).values()) + "\n"


def table(record: Record, lines: list[str], mapping: str | None = None) -> Table:
    content = "".join(lines).encode("utf-8", "surrogateescape")
    return Table(io.BufferedReader(io.BytesIO(content)), record, mapping)


def sessions(*rows: str) -> list[Item]:
    return list(table("sessions", [DUNDEE + "\n", *rows]).items())


def usage(item: Item) -> dict[str, Any]:
    """The usage record of a translated row: its last event."""
    assert isinstance(item, Translated)
    data: dict[str, Any] = item.events[-1]["data"]
    return data


def refusal(item: Item) -> tuple[str, str]:
    assert isinstance(item, RefusedItem)
    return item.reason.code, item.reason.sentence
