"""Spells the digest of a row, which the event that rests on it states, and `audit verify` computes again."""


def row_digest(alias: str, columns: str) -> str:
    """Spells the SHA-256 over columns of a row, in hexadecimal digits.

    Values count in PostgreSQL's binary form, which is the cheapest, and has no settings that matter here. Which
    columns, and their order, may never change: events on record state the digest.
    """
    row = ", ".join(f'{alias}."{name}"' for name in columns.split())
    return f"encode(sha256(record_send(ROW({row}))), 'hex')"
