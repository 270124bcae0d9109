"""Rabbitmq."""
