"""The memory of a station: it can be put away and taken up again, and has bounds."""

from ingest.ocpp import station
from ingest.ocpp.log import frames
from ingest.ocpp.reader import Stations
from tests.unit.ingest.ocpp import rows as logged
from tests.unit.ingest.ocpp.rows import answer, at, call, ingested, log, start, status, stop

HISTORY = [
    call(0, "b", "BootNotification", chargePointVendor="ACME"),
    status(1, "Faulted", "GroundFailure", vendorErrorCode="E1"),
    call(2, "r", "ReserveNow", connectorId=1, reservationId=7, idTag="A", expiryDate=at(900)),
    answer(3, "r", status="Accepted"),
    start(4, uid="x"),
    answer(5, "x", transactionId=9),
    call(
        6,
        "m",
        "MeterValues",
        connectorId=2,
        transactionId=9,
        meterValue=[{"timestamp": at(6), "sampledValue": [{"value": "1200"}]}],
    ),
    start(7, uid="y", meter=5000),
    call(8, "q", "ReserveNow", connectorId=1, reservationId=8, idTag="B", expiryDate=at(900)),
    answer(9, "q", status="Occupied"),
    status(10, "Faulted", "NoError"),
    status(11, "Available", "NoError"),
    answer(12, "y", transactionId=10),
    stop(13, 9),
    call(14, "c", "CancelReservation", reservationId=7),
    answer(15, "c", status="Rejected"),
    call(16, "z", "StopTransaction", transactionId=10, meterStop=6000),
]


def test_a_station_put_away_after_any_frame_goes_on_as_if_it_were_not() -> None:
    """Given a history, when the memory is dumped and loaded after each frame, then the same items come."""
    whole = logged.read(*HISTORY)

    stations, items = Stations(), []
    for frame in frames(log(HISTORY)):
        items += stations.read(frame)  # type: ignore[arg-type]
        before = stations
        stations = Stations()
        stations.known = {name: station.load(station.dump(known)) for name, known in before.known.items()}
        stations._latest = before._latest
    items += stations.finish()

    assert items == whole


def test_frames_taken_again_after_the_memory_was_kept_change_nothing() -> None:
    """Given a crash between keeping and acknowledging, when all frames come again, then no new message comes."""
    stations = Stations()
    read = [frame for frame in frames(log(HISTORY)) if not isinstance(frame, station.RefusedItem)]

    first, _ = ingested(item for frame in read for item in stations.read(frame))
    again, _ = ingested(item for frame in read for item in stations.read(frame))

    assert set(logged.keys(again)) <= set(logged.keys(first))


def test_a_memory_has_bounds() -> None:
    """Given a station that raises, reserves and starts without end, then what is kept of it does not grow."""
    stations, sizes = Stations(), []
    for round_ in range(6):
        for n in range(round_ * 300, round_ * 300 + 300):
            history = [
                status(n, "Faulted", f"Code{n}", connector=n, uid=f"s{n}"),
                start(n, uid=f"t{n}", meter=n),
                answer(n, f"t{n}", transactionId=n),
                call(n, f"r{n}", "ReserveNow", connectorId=1, reservationId=n, idTag="A", expiryDate=at(900)),
                answer(n, f"r{n}", status="Accepted"),
                start(n, uid=f"u{n}", meter=-n),
            ]
            for frame in frames(log([["", *row[1:]] for row in history])):
                list(stations.read(frame))  # type: ignore[arg-type]
        sizes.append(len(station.dump(stations.known["CH-1"])))

    assert sizes[-1] < 1.1 * sizes[2]
    assert sizes[-1] < 150_000
