"""The cause is found wherever a station tells it."""

import pytest

from domain.policy.error_codes import classify, parties_of
from tests.unit.ingest.ocpp.rows import data, ingested, read, status

CHARGEX = "https://chargex.inl.gov"
CHARIN = "org.charin.uec.v1"
EVGO = "com.evgo.mrec"


def classified(error: str, **more: str) -> list[tuple[str, str, str]]:
    """Taxonomy and code that a Faulted status gives, and what Spotclaim takes them for."""
    errors = [each["error"] for each in data(read(status(0, "Faulted", error, **more)), "fault.raised")]
    return [(e["taxonomy"], e["code"], classify(e["taxonomy"], e["code"])) for e in errors]


class TestMrec:
    @pytest.mark.parametrize("number", range(1, 27))
    def test_every_code_of_chargex_is_known_by_its_vendor_id(self, number: int) -> None:
        """CX001 to CX026, with whoever is responsible."""
        code = f"CX{number:03}"
        [(taxonomy, raw, _)] = classified("OtherError", vendorId=CHARGEX, vendorErrorCode=code)
        assert (taxonomy, raw) == ("mrec", code)
        assert parties_of(taxonomy, raw)

    def test_a_code_tells_more_than_the_errors_name_beside_it(self) -> None:
        """It names who is responsible too."""
        found = classified("GroundFailure", vendorId=CHARGEX, vendorErrorCode="CX002")
        assert found == [("mrec", "CX002", "GROUND_FAILURE")]

    @pytest.mark.parametrize(
        "more",
        [
            {"vendorErrorCode": "cx004", "vendorId": "ACME"},
            {"vendorErrorCode": "CX004"},
            {"info": "fault CX004 at L2"},
            {"vendorErrorCode": "CX004", "vendorId": f" {CHARGEX.upper()}/ "},
        ],
    )
    def test_it_is_found_under_any_vendor_id_and_in_words(self, more: dict[str, str]) -> None:
        """Few stations fill in all three fields as they should."""
        [(taxonomy, raw, code)] = classified("OtherError", **more)
        assert (taxonomy, raw.upper(), code) == ("mrec", "CX004", "OVER_CURRENT")

    @pytest.mark.parametrize("words", ["CX027", "CX000", "XCX004", "CX0041"])
    def test_what_only_looks_like_one_is_none(self, words: str) -> None:
        """There are twenty-six of them."""
        assert classified("OtherError", info=words) == [("ocpp1.6", "OtherError", "OTHER")]

    def test_the_words_of_a_recovery_raise_nothing(self) -> None:
        """Stations name the code that is over in the status that says so."""
        items = read(status(0, "Available", "NoError", info="Error CX002 resolved", vendorErrorCode="CX002"))
        assert not data(items, "fault.raised")


class TestCharin:
    def test_a_code_is_known_by_its_name(self) -> None:
        """The vendorId tells whose names they are."""
        [error] = classified("PowerSwitchFailure", vendorId=CHARIN, vendorErrorCode="ContactorPosition")
        assert error == ("vendor:org.charin.uec.v1", "ContactorPosition", "POWER_FAILURE")

    def test_a_name_that_is_not_known_yet_leaves_the_standards_own(self) -> None:
        """The standard's code is the nearest, as CharIN means it to be."""
        found = classified("HighTemperature", vendorId=CHARIN, vendorErrorCode="TooHotToday")
        assert found == [("ocpp1.6", "HighTemperature", "OVER_TEMPERATURE")]

    def test_a_name_that_is_not_known_yet_is_kept_beside_other_error(self) -> None:
        """Whoever maps it in the policy finds it under its scheme."""
        found = classified("OtherError", vendorId=CHARIN, vendorErrorCode="EVShiftPosition")
        assert found == [("vendor:org.charin.uec.v1", "EVShiftPosition", "OTHER")]


class TestEvgo:
    def test_compound_codes_are_as_many_faults_each_with_its_measurement(self) -> None:
        """The N-th value of info belongs to the N-th code."""
        # Given two codes at once, as EVgo's own example has them
        frame = status(0, "Finishing", "OtherError", info="1.11,5.00", vendorId=EVGO, vendorErrorCode="F001,F003")
        # When the frame is read
        batch, _ = ingested(read(frame))
        # Then there are two faults, which differ in their identities too
        assert [(fault.raw_code, fault.info) for fault in batch.faults] == [("F001", "1.11"), ("F003", "5.00")]
        assert len({fault.message_id for fault in batch.faults}) == 2

    def test_one_status_clears_all_of_a_compound(self) -> None:
        """All its codes stood on the connector."""
        raised = status(0, "Faulted", "OtherError", vendorId=EVGO, vendorErrorCode="F006, F009")
        cleared = data(read(raised, status(9, "Available", "NoError")), "fault.cleared")
        assert [each["error"]["code"] for each in cleared] == ["F006", "F009"]

    def test_measurements_that_do_not_fit_the_codes_stay_whole(self) -> None:
        """Nobody can tell which is whose."""
        frame = status(0, "Faulted", "OtherError", info="a,b,c", vendorId=EVGO, vendorErrorCode="F001,F003")
        assert [each["error"]["info"] for each in data(read(frame), "fault.raised")] == ["a,b,c"] * 2

    def test_codes_mean_what_the_later_ones_of_chargex_mean(self) -> None:
        """With the same party responsible: a user who stays away, a cable cut off."""
        assert parties_of(f"vendor:{EVGO}", "A000") == parties_of("mrec", "CX009")
        assert classify(f"vendor:{EVGO}", "F005") == classify("mrec", "CX011") == "GROUND_FAILURE"


class TestOtherWords:
    @pytest.mark.parametrize("error", ["OtherError", "Error", "NoError"])
    def test_the_standards_own_names_are_found_in_words(self, error: str) -> None:
        """A cause that is only in info, beside a code that says nothing."""
        assert classified(error, info="Stop: GroundFailure detected") == [
            ("ocpp1.6", "GroundFailure", "GROUND_FAILURE")
        ]

    def test_words_do_not_outweigh_a_code_that_tells(self) -> None:
        """The code is the station's verdict; its words may name what followed."""
        assert classified("PowerMeterFailure", info="then OverVoltage")[0][1] == "PowerMeterFailure"

    def test_a_vendors_own_code_goes_by_its_vendor(self) -> None:
        """So that the policy can map it: {"vendor:acme": {E42: METER_MISREAD}}."""
        assert classified("OtherError", vendorId="ACME", vendorErrorCode="E42") == [
            ("vendor:acme", "E42", "OTHER")
        ]

    def test_a_vendor_with_too_long_a_name_loses_only_that(self) -> None:
        """No taxonomy is that long; the code stays in the words."""
        frame = status(0, "Faulted", "OtherError", vendorId="v" * 255, vendorErrorCode="E42")
        batch, tally = ingested(read(frame))
        assert (batch.faults[0].taxonomy, batch.faults[0].info) == ("ocpp1.6", "vendorErrorCode E42")
        assert tally.refused == 0
