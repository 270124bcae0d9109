"""NotifyEvent and StatusNotification of OCPP 2.0.1 and 2.1 become faults raised and cleared."""

from typing import Any

import pytest

from domain.policy.error_codes import classify
from tests.unit.ingest.ocpp.rows import at, call, data, ingested, read


def event(component: str = "PowerContactor", variable: str = "Problem", value: str = "true", **more: Any) -> Any:
    return {
        "eventId": 1,
        "timestamp": at(0),
        "trigger": "Alerting",
        "actualValue": value,
        "eventNotificationType": "HardWiredNotification",
        "component": {"name": component, "evse": {"id": 2, "connectorId": 1}},
        "variable": {"name": variable},
    } | more


def notify(second: int, *items: Any, uid: str = "e") -> list[Any]:
    return call(second, uid, "NotifyEvent", generatedAt=at(second), seqNo=0, eventData=list(items))


def status_of(second: int, status: str, evse: int = 2) -> list[Any]:
    fields = {"timestamp": at(second), "connectorStatus": status, "evseId": evse, "connectorId": 1}
    return call(second, "s", "StatusNotification", **fields)


class TestNotifyEvent:
    def test_a_problem_and_its_end_are_one_episode(self) -> None:
        """Raised with true, cleared with false: the same place, taxonomy and code."""
        # Given a contactor that fails and recovers, with what the station knows of it
        problem = event(techCode="K1-17", techInfo="coil open", transactionId="T-1")
        # When both are read
        items = read(notify(1, problem), notify(9, event(value="false", cleared=True), uid="f"))
        # Then they are a fault and its clear
        [raised], [cleared] = data(items, "fault.raised"), data(items, "fault.cleared")
        error = {"taxonomy": "ocpp2.0.1", "code": "PowerContactor.Problem"}
        assert raised["error"] == error | {"info": "techCode K1-17; coil open"}
        assert (raised["connector_id"], raised["session_id"], raised["occurred_at"]) == (2, "T-1", at(0))
        assert (cleared["connector_id"], cleared["error"]["code"]) == (2, error["code"])
        assert classify(error["taxonomy"], error["code"]) == "POWER_FAILURE"

    @pytest.mark.parametrize(
        ("component", "variable", "code"),
        [
            ("ConnectorPlugRetentionLock", "Problem", "CONNECTOR_LOCK_FAILURE"),
            ("TemperatureSensor", "Active", "OVER_TEMPERATURE"),
            ("TemperatureSensor", "Problem", "CONTROLLER_FAILURE"),
            ("OverCurrentProtection", "Active", "OVER_CURRENT"),
            ("EVSE", "Overload", "OVER_CURRENT"),
            ("FiscalMetering", "Problem", "METER_UNREADABLE"),
            ("FlyingCarpet", "Problem", "OTHER"),
        ],
    )
    def test_a_component_tells_what_kind_of_fault_it_is(self, component: str, variable: str, code: str) -> None:
        """By itself, or with its variable; what is not known is kept as sent."""
        batch, _ = ingested(read(notify(0, event(component, variable, trigger="Delta"))))
        [fault] = batch.faults
        assert fault.raw_code == f"{component}.{variable}"
        assert classify(fault.taxonomy, fault.raw_code) == code

    @pytest.mark.parametrize(
        ("tech_code", "taxonomy"),
        [("CX011", "mrec"), ("ContactorPosition", "vendor:org.charin.uec.v1"), ("K1-17", "ocpp2.0.1")],
    )
    def test_a_tech_code_of_a_known_scheme_is_the_code(self, tech_code: str, taxonomy: str) -> None:
        """A vendor's own stays beside the component."""
        [fault] = data(read(notify(0, event(techCode=tech_code))), "fault.raised")
        assert fault["error"]["taxonomy"] == taxonomy

    @pytest.mark.parametrize(
        "item",
        [
            event("TemperatureSensor", "Temperature", "41.5", trigger="Periodic"),
            event("Heater", "Active", trigger="Delta"),
            event("Connector", "AvailabilityState", "Occupied", trigger="Delta"),
        ],
    )
    def test_a_value_that_merely_changes_is_no_fault(self, item: Any) -> None:
        """Stations report values all day."""
        assert not data(read(notify(0, item)), "fault.raised")

    def test_a_threshold_that_was_passed_is_a_fault_with_its_value(self) -> None:
        """Alerting says that a monitor judged it; `cleared` ends it with another value."""
        hot = event("TemperatureSensor", "Temperature", "91.5")
        cool = event("TemperatureSensor", "Temperature", "60.0", cleared=True)
        items = read(notify(0, hot), notify(9, cool, uid="f"))
        [raised], [cleared] = data(items, "fault.raised"), data(items, "fault.cleared")
        assert raised["error"]["info"] == "TemperatureSensor/Temperature 91.5"
        assert cleared["error"]["code"] == raised["error"]["code"]

    def test_a_clear_whose_raise_was_never_seen_says_itself_what_is_over(self) -> None:
        """A log may begin in the middle of an episode."""
        [cleared] = data(read(notify(0, event(cleared=True, techCode="CX017"))), "fault.cleared")
        assert cleared["error"] == {"taxonomy": "mrec", "code": "CX017"}

    def test_two_of_one_component_differ_by_instance(self) -> None:
        """One that recovers does not clear its neighbour."""
        # Given two modules of one EVSE that fail
        modules = [{"name": "AcDcConverter", "instance": str(n), "evse": {"id": 1}} for n in (1, 2)]
        raised = [event() | {"component": module} for module in modules]
        # When the first recovers and the EVSE is still faulted
        over = notify(9, raised[0] | {"cleared": True}, uid="f")
        items = read(notify(0, *raised), over, status_of(10, "Faulted", 1))
        # Then one error is over, and the other still stands for the bare status
        assert [len(data(items, f"fault.{kind}")) for kind in ("raised", "cleared")] == [2, 1]

    def test_several_events_of_one_frame_have_identities_of_their_own(self) -> None:
        """The same component may alert twice in one frame."""
        batch, _ = ingested(read(notify(0, event(), event())))
        assert len({fault.message_id for fault in batch.faults}) == 2

    def test_rubbish_beside_an_event_does_not_hide_it(self) -> None:
        """An event without component, without value, or that is none."""
        frame = notify(0, None, {}, {"trigger": "Alerting"}, event(), {"component": 7, "cleared": "yes"})
        batch, tally = ingested(read(frame))
        assert [fault.raw_code for fault in batch.faults] == ["OtherError", "PowerContactor.Problem"]
        assert "Outside the standard: " in (batch.faults[0].description or "")
        assert tally.refused == 0


class TestConnectorStatus:
    def test_faulted_alone_is_a_fault_until_another_status(self) -> None:
        """Version 2 tells the cause by events; where none came the fault is real all the same."""
        items = read(status_of(0, "Faulted"), status_of(1, "Faulted"), status_of(9, "Available"))
        [raised], [cleared] = data(items, "fault.raised"), data(items, "fault.cleared")
        assert (raised["connector_id"], raised["error"]["code"]) == (2, "OtherError")
        assert (cleared["connector_id"], cleared["error"]["code"]) == (2, "OtherError")

    def test_faulted_after_an_event_says_nothing_new(self) -> None:
        """And the status that follows does not clear what only an event may clear."""
        items = read(notify(0, event()), status_of(1, "Faulted"), status_of(9, "Available"))
        assert [len(data(items, f"fault.{kind}")) for kind in ("raised", "cleared")] == [1, 0]


def test_a_boot_notification_tells_vendor_model_and_firmware() -> None:
    """In the form of version 2, with fields of the vendor's own."""
    station = {"vendorName": "ACME", "model": "M2", "firmwareVersion": "2.1", "serialNumber": "1", "colour": "red"}
    items = read(call(0, "b", "BootNotification", reason="PowerUp", chargingStation=station))
    assert data(items, "spot.registered") == [
        {"spot_id": "CH-1", "vendor": "ACME", "model": "M2", "firmware": "2.1"}
    ]
