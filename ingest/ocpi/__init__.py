"""OCPI: what partners deliver of locations, sessions, CDRs and reservations becomes events.

Enter at `reader.Partner`: it recognises each object (`objects`) by its fields and gives it to the module of its
kind, `locations`, `sessions` (with patches and CDRs) or `reservations` (commands and bookings). Sessions and
results of commands are settled at the end, when everything was read, so that the order of files does not matter.
"""
