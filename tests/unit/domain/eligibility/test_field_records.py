"""Records of the field, each with the finding that it must give.

The figures are those of the sources: the sessions that Dundee City Council published for 2017 and 2018 (Open
Government Licence v3), whose local times have the offset of that day beside them here, and the OCPP 1.6 log of two
stations that kwwhat comes with (MIT).
"""

from collections import Counter
from datetime import datetime
from random import Random

import pytest

from domain.eligibility import record_findings as meter
from domain.eligibility import session_findings as history
from domain.eligibility.usage_rule import usage_corroborates
from domain.field.usage import UsageRecord
from tests.builders import a_claim, a_policy, a_usage_record, an_input

# Spot, connector, session, start, end, energy in kWh, findings. Whole: every session of the 67,112 with negative
# energy, an end before its start or in 1970, or more energy than a battery holds; also the three that only seem to
# end before they begin, since the clocks went back meanwhile. Of the 1,370 long ones without energy, the 327 that
# have no end and the 2,343 of more than a day, three each.
DUNDEE = """
50236 1 4027454 2017-11-29T14:32+00:00 2017-12-01T10:04+00:00 13.12 OVER_24_HOURS
50236 2 4030385 2017-11-30T13:45+00:00 2017-12-01T08:38+00:00 0.0 ZERO_ENERGY
50264 1 4029757 2017-11-30T11:29+00:00 2017-12-01T12:01+00:00 4.02 OVER_24_HOURS
50267 2 7129107 2018-03-27T07:33+01:00 2018-03-27T09:56+01:00 -4.08 NEGATIVE_ENERGY
50268 2 4025439 2017-11-28T21:03+00:00 2017-11-30T15:11+00:00 13.1 OVER_24_HOURS
50269 2 4032900 2017-12-01T12:07+00:00 - - ENERGY_MISSING END_MISSING
50338 2 4032879 2017-12-01T12:00+00:00 - - ENERGY_MISSING END_MISSING
50339 2 3944164 2017-10-29T01:46+01:00 2017-10-29T01:08+00:00 11.25
50339 2 4230632 2018-02-19T21:30+00:00 1970-01-01T01:00+01:00 1.74 END_BEFORE_START TIME_IMPLAUSIBLE
50523 1 4032891 2017-12-01T12:03+00:00 - - ENERGY_MISSING END_MISSING
50676 2 3815381 2017-09-07T08:06+01:00 2017-09-07T16:47+01:00 -45.58 NEGATIVE_ENERGY
50692 2 3946076 2017-10-29T01:44+01:00 2017-10-29T01:06+00:00 15.64
50692 2 4107448 2018-01-02T22:47+00:00 2018-01-02T22:16+00:00 9.73 END_BEFORE_START
50841 2 3805767 2017-09-02T19:23+01:00 2017-09-03T07:04+01:00 -25.14 NEGATIVE_ENERGY
50911 2 3944166 2017-10-29T01:55+01:00 2017-10-29T01:20+00:00 11.34
50911 2 3916410 2017-10-17T18:23+01:00 1970-01-01T01:00+01:00 7.03 END_BEFORE_START TIME_IMPLAUSIBLE
51198 2 4030905 2017-11-30T16:26+00:00 2017-12-01T09:46+00:00 0.0 ZERO_ENERGY
51198 1 4141179 2018-01-16T12:38+00:00 2018-01-16T12:47+00:00 -56.12 NEGATIVE_ENERGY
51198 1 4214428 2018-02-13T14:26+00:00 2018-02-13T14:59+00:00 -32.98 NEGATIVE_ENERGY
51198 1 4249905 2018-02-27T08:33+00:00 2018-02-27T11:11+00:00 -22.65 NEGATIVE_ENERGY
51198 2 4250378 2018-02-27T10:29+00:00 2018-02-27T11:45+00:00 -65.96 NEGATIVE_ENERGY
51198 1 4271983 2018-03-09T09:43+00:00 2018-03-09T14:01+00:00 -8.12 NEGATIVE_ENERGY
51198 1 7152770 2018-04-05T14:03+01:00 2018-04-09T10:32+01:00 -30.85 NEGATIVE_ENERGY OVER_24_HOURS
51198 2 7154989 2018-04-06T11:45+01:00 2018-04-06T13:16+01:00 -34.65 NEGATIVE_ENERGY
51198 1 7161842 2018-04-09T13:26+01:00 2018-04-09T14:03+01:00 -2.2 NEGATIVE_ENERGY
51198 1 7164879 2018-04-10T15:16+01:00 2018-04-12T09:05+01:00 -9.01 NEGATIVE_ENERGY OVER_24_HOURS
51198 1 7217904 2018-04-30T12:03+01:00 2018-05-01T09:41+01:00 -75.49 NEGATIVE_ENERGY
51198 1 7241724 2018-05-09T12:22+01:00 2018-05-10T09:32+01:00 -52.37 NEGATIVE_ENERGY
51198 2 7257716 2018-05-15T14:44+01:00 2018-05-17T09:42+01:00 -61.09 NEGATIVE_ENERGY OVER_24_HOURS
51198 1 7259656 2018-05-16T10:29+01:00 2018-05-16T11:46+01:00 -21.7 NEGATIVE_ENERGY
51198 1 7272592 2018-05-21T09:47+01:00 2018-05-21T13:13+01:00 -16.47 NEGATIVE_ENERGY
51198 1 7284312 2018-05-25T11:03+01:00 2018-05-25T11:32+01:00 -27.45 NEGATIVE_ENERGY
51198 1 7373049 2018-06-27T12:18+01:00 2018-06-28T10:21+01:00 -60.81 NEGATIVE_ENERGY
51198 1 7416239 2018-07-12T13:02+01:00 2018-07-13T08:34+01:00 -24.37 NEGATIVE_ENERGY
51198 1 7433998 2018-07-18T10:33+01:00 2018-07-18T11:28+01:00 -10.27 NEGATIVE_ENERGY
51198 1 7481965 2018-08-02T10:50+01:00 2018-08-08T14:39+01:00 -6.41 NEGATIVE_ENERGY OVER_24_HOURS
51198 1 7683956 2018-08-20T15:13+01:00 2018-08-22T09:34+01:00 -31.44 NEGATIVE_ENERGY OVER_24_HOURS
51198 1 7704061 2018-08-23T15:22+01:00 2018-08-24T09:21+01:00 -13.28 NEGATIVE_ENERGY
51198 1 7724415 2018-08-30T10:04+01:00 2018-08-30T11:03+01:00 -36.19 NEGATIVE_ENERGY
51198 1 7727914 2018-08-31T09:51+01:00 2018-08-31T10:18+01:00 -9.54 NEGATIVE_ENERGY
51199 1 4162097 2018-01-24T15:01+00:00 2018-01-25T08:12+00:00 -56.23 NEGATIVE_ENERGY
51199 2 4162172 2018-01-24T15:24+00:00 2018-01-25T09:46+00:00 -14.12 NEGATIVE_ENERGY
51202 2 4164864 2018-01-25T15:09+00:00 2018-01-26T08:59+00:00 -36.22 NEGATIVE_ENERGY
51203 2 4024759 2017-11-28T16:23+00:00 2017-11-29T09:28+00:00 0.0 ZERO_ENERGY
51203 1 7521518 2018-08-14T15:41+01:00 2018-08-15T09:02+01:00 1430.17 BATTERY_EXCEEDED
"""

# Sessions on one connector, of which some began before the one before had ended.
OVERLAPPING = """
51356 2 4106978 2018-01-02T17:02+00:00 2018-01-03T10:15+00:00 0.62
51356 2 4108234 2018-01-03T10:09+00:00 2018-01-03T10:42+00:00 2.53
50238 1 7308457 2018-06-03T20:19+01:00 2018-06-04T09:47+01:00 0.0
50238 1 7308691 2018-06-04T06:36+01:00 2018-06-04T18:25+01:00 4.54
50238 1 7309682 2018-06-04T11:28+01:00 2018-06-04T11:45+01:00 0.0
50238 1 7309888 2018-06-04T12:31+01:00 2018-06-05T10:14+01:00 0.0
50238 1 7349987 2018-06-19T09:24+01:00 2018-06-19T17:09+01:00 7.3
50238 1 7350189 2018-06-19T10:35+01:00 2018-06-19T12:30+01:00 0.0
50238 1 7351092 2018-06-19T14:39+01:00 2018-06-20T10:43+01:00 0.0
"""

# Transaction, start, stop, and the register at both in Wh, as the frames state them; all on connector 1 of CH-001,
# and all stopped with EVDisconnected.
REGISTERS = """
1001 2025-10-01T08:18:01.200Z 2025-10-01T08:23:01.700Z 2300123 2301723
1003 2025-10-01T11:20:01.200Z 2025-10-01T11:25:01.700Z 2300438 2302038
1004 2025-10-01T17:37:01.200Z 2025-10-01T17:42:01.700Z 2300495 2302095
1002 2025-10-01T18:35:01.200Z 2025-10-01T18:40:01.700Z 2300174 2301774
1005 2025-10-02T19:43:01.200Z 2025-10-02T19:48:01.700Z 2300196 2301796
1007 2025-10-03T18:01:01.200Z 2025-10-03T18:06:01.700Z 2300270 2301870
1006 2025-10-03T19:42:01.200Z 2025-10-03T19:47:01.700Z 2300253 2301853
1010 2025-10-04T10:26:01.200Z 2025-10-04T10:31:01.700Z 2300398 2301998
1009 2025-10-04T12:28:01.200Z 2025-10-04T12:33:01.700Z 2300284 2301884
1008 2025-10-04T13:54:01.200Z 2025-10-04T13:59:01.700Z 2300439 2302039
1011 2025-10-04T21:31:01.200Z 2025-10-04T21:36:01.700Z 2300485 2302085
1012 2025-10-05T15:14:01.200Z 2025-10-05T15:19:01.700Z 2300133 2301733
1013 2025-10-06T14:23:01.200Z 2025-10-06T14:28:01.700Z 2300336 2301936
1014 2025-10-06T14:57:01.200Z 2025-10-06T15:02:01.700Z 2300404 2302004
1015 2025-10-06T19:56:01.200Z 2025-10-06T20:01:01.700Z 2300497 2302097
1019 2025-10-07T12:15:01.200Z 2025-10-07T12:20:01.700Z 2300142 2301742
1016 2025-10-07T14:28:01.200Z 2025-10-07T14:33:01.700Z 2300288 2301888
1017 2025-10-07T18:17:01.200Z 2025-10-07T18:22:01.700Z 2300484 2302084
1018 2025-10-07T19:30:01.200Z 2025-10-07T19:35:01.700Z 2300243 2301843
1020 2025-10-08T14:45:01.200Z 2025-10-08T14:50:01.700Z 2300306 2301906
1021 2025-10-08T17:29:01.200Z 2025-10-08T17:34:01.700Z 2300398 2301998
1023 2025-10-08T17:33:01.200Z 2025-10-08T17:38:01.700Z 2300348 2301948
1022 2025-10-08T18:55:01.200Z 2025-10-08T19:00:01.700Z 2300432 2302032
1025 2025-10-09T10:52:01.200Z 2025-10-09T10:57:01.700Z 2300422 2302022
1024 2025-10-09T13:36:01.200Z 2025-10-09T13:41:01.700Z 2300163 2301763
1026 2025-10-09T20:38:01.200Z 2025-10-09T20:43:01.700Z 2300285 2301885
1029 2025-10-10T09:00:01.200Z 2025-10-10T09:05:01.700Z 2300325 2301925
1028 2025-10-10T13:37:01.200Z 2025-10-10T13:42:01.700Z 2300497 2302097
1027 2025-10-10T13:47:01.200Z 2025-10-10T13:52:01.700Z 2300130 2301730
1030 2025-10-10T14:53:01.200Z 2025-10-10T14:58:01.700Z 2300230 2301830
1032 2025-10-11T10:29:01.200Z 2025-10-11T10:34:01.700Z 2300102 2301702
1031 2025-10-11T10:43:01.200Z 2025-10-11T10:48:01.700Z 2300370 2301970
1033 2025-10-11T12:36:01.200Z 2025-10-11T12:41:01.700Z 2300392 2301992
1034 2025-10-12T18:27:01.200Z 2025-10-12T18:32:01.700Z 2300101 2301701
1035 2025-10-12T19:06:01.200Z 2025-10-12T19:11:01.700Z 2300294 2301894
1036 2025-10-14T08:49:01.200Z 2025-10-14T08:54:01.700Z 2300180 2301780
1039 2025-10-14T09:23:01.200Z 2025-10-14T09:28:01.700Z 2300284 2301884
1038 2025-10-14T14:09:01.200Z 2025-10-14T14:14:01.700Z 2300444 2302044
1037 2025-10-14T20:33:01.200Z 2025-10-14T20:38:01.700Z 2300369 2301969
"""


def dundee(line: str) -> UsageRecord:
    spot, connector, session, start, end, energy = line.split()[:6]
    started_at, ended_at = (None if text == "-" else datetime.fromisoformat(text) for text in (start, end))
    assert started_at is not None
    return a_usage_record(
        spot_id=spot,
        connector_id=int(connector),
        session_id=session,
        started_at=started_at,
        ended_at=ended_at,
        energy_kwh=None if energy == "-" else float(energy),
        meter_start_kwh=None,
        meter_stop_kwh=None,
    )


def ocpp(line: str) -> UsageRecord:
    """Transactions of OCPP state no energy: it is what the register moved by."""
    session, start, stop, begun, left = line.split()
    return a_usage_record(
        spot_id="CH-001",
        connector_id=1,
        session_id=session,
        started_at=datetime.fromisoformat(start),
        ended_at=datetime.fromisoformat(stop),
        energy_kwh=(int(left) - int(begun)) / 1000,
        meter_start_kwh=int(begun) / 1000,
        meter_stop_kwh=int(left) / 1000,
        stop_reason="EVDisconnected",
    )


@pytest.mark.parametrize("line", DUNDEE.strip().splitlines())
def test_a_flagged_session_gives_its_findings(line: str) -> None:
    """Each and no other, and each has a sentence."""
    record = dundee(line)

    assert record.findings == line.split()[6:]
    assert all(meter.describe(record, finding).startswith("Session ") for finding in record.findings)


def test_the_flagged_sessions_are_all_there() -> None:
    """Counted by finding."""
    found = Counter(finding for line in DUNDEE.strip().splitlines() for finding in dundee(line).findings)

    assert found == {
        "NEGATIVE_ENERGY": 29,
        "END_BEFORE_START": 3,
        "TIME_IMPLAUSIBLE": 2,
        "BATTERY_EXCEEDED": 1,
        "OVER_24_HOURS": 8,
        "ZERO_ENERGY": 3,
        "ENERGY_MISSING": 3,
        "END_MISSING": 3,
    }


def test_sessions_overlap_on_a_connector() -> None:
    """Each beside the one that was still running."""
    records = [dundee(line) for line in OVERLAPPING.strip().splitlines()]
    by_spot = [[record for record in records if record.spot_id == spot] for spot in ("51356", "50238")]

    found = [
        (each.record.session_id, each.other and each.other.session_id)
        for spot in by_spot
        for each in history.findings(spot, None, (history.SESSIONS_OVERLAP,))
    ]

    assert found == [
        ("4108234", "4106978"),
        ("7308691", "7308457"),
        ("7309682", "7308691"),
        ("7309888", "7308691"),
        ("7350189", "7349987"),
        ("7351092", "7349987"),
    ]


def test_the_registers_of_the_log_fall_back_between_transactions() -> None:
    """38 times in 39 transactions, though none falls back by itself."""
    records = [ocpp(line) for line in REGISTERS.strip().splitlines()]
    Random(7).shuffle(records)

    found = list(history.findings(records, None, (history.REGISTER_BELOW_PREVIOUS,)))

    assert (len(records), len(found)) == (39, 38)
    assert all(record.findings == [] for record in records)
    assert found[0].describe() == (
        "Session 1003 (connector 1, 2025-10-01 11:20 to 2025-10-01 11:25 UTC) began at 2300.438 kWh, lower than"
        " session 1001 before it had left the register: 2301.723 kWh."
    )


def test_a_regression_claim_on_the_log_is_borne_out() -> None:
    """By the two transactions nearest to it."""
    records = [ocpp(line) for line in REGISTERS.strip().splitlines()]
    claim = a_claim(code="METER_REGRESSION", first_seen_at=datetime.fromisoformat("2025-10-06T14:59Z"))

    answer = usage_corroborates(an_input(claim, *records), a_policy())

    assert (answer.result, answer.reason) == ("pass", "REGISTER_BELOW_PREVIOUS")
    assert (answer.facts["session_id"], answer.facts["other"]["session_id"]) == ("1014", "1013")


def test_a_misread_claim_on_spot_51198_is_borne_out() -> None:
    """By the negative energy of that very session."""
    records = [record for record in map(dundee, DUNDEE.strip().splitlines()) if record.spot_id == "51198"]
    claim = a_claim(connector_id=1, first_seen_at=datetime.fromisoformat("2018-06-28T09:00Z"))

    answer = usage_corroborates(an_input(claim, *records), a_policy())

    assert (answer.result, answer.reason) == ("pass", "NEGATIVE_ENERGY")
    assert (answer.facts["session_id"], answer.facts["energy_kwh"]) == ("7373049", -60.81)
