"""Suggests which of our fields a column may be, by its name."""

import re
from collections.abc import Collection, Sequence
from difflib import get_close_matches
from typing import Final

_LIKENESS: Final = 0.75
_MOST_NAMED: Final = 40
# Other names of our fields, as found in exports.
_ALSO_CALLED: Final = {
    "spot_id": "evse evse_id evse_uid cp_id charge_point charge_point_id charger charger_id station station_id",
    "connector_id": "connector plug plug_id outlet socket",
    "session_id": "session charging_event transaction transaction_id cdr_id charge_id",
    "started_at": "start start_time start_date started start_datetime plugged_in begin",
    "ended_at": "end end_time end_date ended end_datetime stop stop_time plugged_out finish",
    "energy_kwh": "kwh energy total_kwh wh consumption volume delivered_energy",
    "meter_start_kwh": "meter_start start_meter register_start",
    "meter_stop_kwh": "meter_stop meter_end stop_meter register_stop",
    "max_power_kw": "max_power power power_kw rated_power",
    "time_zone": "tz timezone",
    "occurred_at": "timestamp time date occurred event_time reported_at datetime",
    "code": "error error_code fault fault_code code alarm",
    "info": "error_info details",
    "user": "user_id driver id_tag card token",
    "fault_id": "event_id ticket ticket_id incident_id",
    "latitude": "lat",
    "longitude": "lon lng long",
    "site": "site_name location_name",
    "zone": "area region city",
    "warranty_until": "warranty warranty_end",
    "commissioned_on": "commissioned installed installed_on",
}


def suggestion(header: Sequence[str], fields: Collection[str]) -> str:
    """Describes the header, the fields, and which columns resemble which fields."""
    names = _names(fields)
    nearest = {column: _nearest(column, names) for column in header}
    pairs = [f"{column} as {field}" for column, field in nearest.items() if field not in (None, column)]
    columns = ", ".join(header[:_MOST_NAMED]) + (", …" if len(header) > _MOST_NAMED else "")
    near = f" Perhaps {', '.join(pairs)}." if pairs else ""
    return f"The header has {columns}. Fields: {', '.join(sorted(fields))}.{near}"


def _names(fields: Collection[str]) -> dict[str, str]:
    """Maps each name of a field to the field."""
    return {name: field for field in sorted(fields) for name in (field, *_ALSO_CALLED.get(field, "").split())}


def _nearest(column: str, names: dict[str, str]) -> str | None:
    plain = re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_")
    found = get_close_matches(plain, names, n=1, cutoff=_LIKENESS)
    return names[found[0]] if found else None
