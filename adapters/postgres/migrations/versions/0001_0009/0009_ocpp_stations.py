"""What must be remembered of an OCPP station between its frames."""

from alembic import op

revision = "0009"
down_revision = "0008"

_TABLE = """
CREATE TABLE ocpp_stations (
    station text PRIMARY KEY,
    memory text NOT NULL,
    waiting boolean NOT NULL
);
CREATE INDEX ocpp_stations_waiting ON ocpp_stations (station) WHERE waiting;
"""


def upgrade() -> None:
    op.execute(_TABLE)
