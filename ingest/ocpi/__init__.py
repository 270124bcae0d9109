"""OCPI: what partners hand over of locations, sessions, CDRs and reservations becomes events."""
