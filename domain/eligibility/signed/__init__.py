"""Signed meter values: what they say beside what was billed.

Enter at `marking.mark_signed`, which has the signed values of a claim checked and marks its usage records.
`findings` says what is wrong with a record by its signed values, what of it proves something, and in which words.
"""
