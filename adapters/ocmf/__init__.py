"""OCMF, the Open Charge Metering Format: whether a meter signed a text, and what its register showed.

Enter at `check.check_signed`; `texts` takes a text out of what it came in, `public_key` reads the key of a meter.
The library behind it comes with the extra `signed`, and is imported when the first value is checked.
"""
