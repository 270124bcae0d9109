"""Cloudevents."""
