"""Since when somebody sees to an incident, and news as it waits for its digest."""

from alembic import op

revision = "0017"
down_revision = "0016"

_GATHERED = """
CREATE TABLE gathered_news (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    delivery_id uuid NOT NULL,
    news jsonb NOT NULL
);
CREATE INDEX gathered_news_delivery ON gathered_news (delivery_id);
"""


def upgrade() -> None:
    op.execute("ALTER TABLE incidents ADD COLUMN acknowledged_at timestamptz")
    op.execute(_GATHERED)
