"""How much is measured: enough for figures, or just enough to see that everything runs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Sizes of the loads.

    The usual ways get fewer messages because they take longer for each; a rate does not depend on that.
    """

    repetitions: int = 3
    intake_faults: int = 40_000
    usual_faults: int = 3_000
    drain_claims: int = 20_000
    verification_spots: int = 20_000
    verification_growth: int = 10
    rest_seconds: int = 20
    memory_faults: int = 200_000
    decode_messages: int = 5_000
    import_rows: int = 40_000
    window_sightings: int = 50_000
    audit_claims: int = 50_000
    storm_claims: int = 10_000
    separate_notifications: int = 2_000
    detection_spots: int = 5_000
    detection_fleets: int = 5
    detection_tuning_fleets: int = 5


QUICK = Scale(
    repetitions=1,
    intake_faults=6_000,
    usual_faults=1_500,
    drain_claims=3_000,
    verification_spots=2_000,
    verification_growth=4,
    rest_seconds=4,
    memory_faults=20_000,
    decode_messages=1_000,
    import_rows=4_000,
    window_sightings=5_000,
    audit_claims=5_000,
    storm_claims=1_000,
    separate_notifications=200,
    detection_spots=1_000,
    detection_fleets=1,
    detection_tuning_fleets=1,
)
