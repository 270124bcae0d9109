"""Baselines of detection as they lie in the database."""

from sqlalchemy import Column, DateTime, Double, Integer, SmallInteger, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY

from adapters.postgres.field.tables import metadata

_moment = DateTime(timezone=True)

# One row for each time that it was learnt: from when on, and which of the hours since had no data at all.
baselines = Table(
    "baselines",
    metadata,
    Column("learnt_at", _moment, primary_key=True),
    Column("since", _moment, nullable=False),
    Column("window_minutes", Integer, nullable=False),
    Column("chance", Double, nullable=False),
    Column("groups", Integer, nullable=False),
    Column("unknown_hours", ARRAY(_moment), nullable=False),
)

baseline_places = Table(
    "baseline_places",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("place", Text, primary_key=True),
    Column("capacity", Integer, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("days", Double, nullable=False),
    # Hours in which others were heard and the place was not, though it is at other times.
    Column("unknown_hours", ARRAY(_moment), nullable=False, server_default=text("'{}'")),
)

# Thresholds by hour of the week, 168 of them; only of groups where one is above the fewest spots of an incident.
baseline_thresholds = Table(
    "baseline_thresholds",
    metadata,
    Column("code", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("place", Text, primary_key=True),
    Column("week", ARRAY(SmallInteger), nullable=False),
)
