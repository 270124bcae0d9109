"""Recognizes the ids that people name rows by: whole, or the end of one."""

import re

FULL_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
TAIL = re.compile(r"[0-9a-fA-F-]{6,35}")
