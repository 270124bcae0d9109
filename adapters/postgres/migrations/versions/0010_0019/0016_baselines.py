"""What is usual of each error and place, as detection learns it."""

from alembic import op

revision = "0016"
down_revision = "0015"

_TABLES = """
CREATE TABLE baselines (
    learnt_at timestamptz PRIMARY KEY,
    since timestamptz NOT NULL,
    window_minutes integer NOT NULL,
    chance double precision NOT NULL,
    groups integer NOT NULL,
    unknown_hours timestamptz[] NOT NULL
);
CREATE TABLE baseline_places (
    kind text NOT NULL,
    place text NOT NULL,
    capacity integer NOT NULL,
    time_zone text NOT NULL,
    days double precision NOT NULL,
    PRIMARY KEY (kind, place)
);
CREATE TABLE baseline_thresholds (
    code text NOT NULL,
    kind text NOT NULL,
    place text NOT NULL,
    week smallint[] NOT NULL,
    PRIMARY KEY (code, kind, place)
);
"""


def upgrade() -> None:
    op.execute(_TABLES)
