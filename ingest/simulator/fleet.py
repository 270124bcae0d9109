"""The invented fleet: zones with time zones, models with firmware, and spots."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from ingest.simulator.chance import Chance

_SPOTS_OF_A_ZONE: Final = 250
_SPOTS_OF_A_SITE: Final = 6
_FLAPPING_SHARE: Final = 0.02


@dataclass(frozen=True, slots=True)
class Zone:
    """A place where spots stand. `time_zone` is an IANA name; degrees are WGS 84."""

    number: int
    name: str
    country: str
    time_zone: str
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Model:
    """A model of a vendor. Power in kW."""

    vendor: str
    name: str
    power_kw: float
    firmware: tuple[str, ...]


ZONES: Final = (
    Zone(1, "harbour", "DE", "Europe/Berlin", 53.54, 9.98),
    Zone(2, "station-square", "DE", "Europe/Berlin", 52.52, 13.37),
    Zone(3, "riverside", "GB", "Europe/London", 56.46, -2.97),
    Zone(4, "old-town", "PT", "Europe/Lisbon", 38.71, -9.13),
    Zone(5, "north-quay", "FI", "Europe/Helsinki", 60.16, 24.95),
    Zone(6, "liberty-park", "US", "America/New_York", 40.71, -74.05),
    Zone(7, "lakeside", "US", "America/Chicago", 41.88, -87.62),
    Zone(8, "mesa-road", "US", "America/Phoenix", 33.45, -112.07),
    Zone(9, "bayview", "US", "America/Los_Angeles", 37.77, -122.39),
    Zone(10, "signal-hill", "CA", "America/St_Johns", 47.57, -52.68),
    Zone(11, "jardins", "BR", "America/Sao_Paulo", -23.57, -46.66),
    Zone(12, "tech-park", "IN", "Asia/Kolkata", 12.97, 77.59),
    Zone(13, "east-gate", "JP", "Asia/Tokyo", 35.68, 139.77),
    Zone(14, "marina", "SG", "Asia/Singapore", 1.28, 103.85),
    Zone(15, "wharf", "AU", "Australia/Sydney", -33.86, 151.21),
    Zone(16, "parklands", "AU", "Australia/Adelaide", -34.93, 138.6),
    Zone(17, "waterfront", "NZ", "Pacific/Auckland", -36.84, 174.76),
    Zone(18, "table-view", "ZA", "Africa/Johannesburg", -33.92, 18.42),
    Zone(19, "west-end", "NO", "Europe/Oslo", 59.91, 10.72),
    Zone(20, "canal-belt", "NL", "Europe/Amsterdam", 52.37, 4.89),
)
MODELS: Final = (
    Model("Aurum", "Aurum-22", 22.0, ("3.2.0", "3.2.1")),
    Model("Borealis", "Borealis-11", 11.0, ("1.8.4", "1.9.0")),
    Model("Borealis", "Borealis-50", 50.0, ("4.0.2", "4.1.0")),
    Model("Corvid", "Corvid-150", 150.0, ("7.5", "7.6")),
)


@dataclass(frozen=True, slots=True)
class SimulatedSpot:
    """One charging spot. Dates are ISO 8601; a flapping spot raises and clears in turn."""

    number: int
    spot_id: str
    zone: Zone
    site: str
    model: Model
    firmware: str
    commissioned_on: str
    warranty_until: str
    is_flapping: bool


def build_fleet(seed: int, spots: int, year: int) -> list[SimulatedSpot]:
    """Builds spots that were commissioned in the years before `year`.

    Their ids contain the seed and count from 0. A larger fleet of the same seed has the same spots and more,
    except for the zones they stand in.
    """
    zones = ZONES[: min(len(ZONES), max(2, spots // _SPOTS_OF_A_ZONE))]
    return [_spot(seed, number, zones, year) for number in range(spots)]


def _spot(seed: int, number: int, zones: Sequence[Zone], year: int) -> SimulatedSpot:
    chance = Chance(seed, "spot", number)
    zone = zones[number % len(zones)]
    model = chance.pick(MODELS)
    commissioned = date(year, 1, 1) - timedelta(days=int(chance.between(60, 6 * 365)))
    warranty = timedelta(days=chance.pick((5, 5, 8)) * 365)
    return SimulatedSpot(
        number,
        f"{zone.country}*S{seed}*E{number + 1:05}",
        zone,
        f"{zone.name}-{number // len(zones) // _SPOTS_OF_A_SITE + 1}",
        model,
        chance.pick(model.firmware),
        commissioned.isoformat(),
        (commissioned + warranty).isoformat(),
        chance.happens(_FLAPPING_SHARE),
    )


def by_zone(fleet: Sequence[SimulatedSpot]) -> dict[Zone, list[SimulatedSpot]]:
    """Groups the spots by zone, in the order of the fleet."""
    spots: dict[Zone, list[SimulatedSpot]] = {}
    for spot in fleet:
        spots.setdefault(spot.zone, []).append(spot)
    return spots
