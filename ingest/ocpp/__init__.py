"""OCPP 1.6, 2.0.1 and 2.1: frames between stations and their central system become Spotclaim's events."""
