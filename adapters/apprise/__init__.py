"""Apprise."""
