"""Evidence holds what its kind needs; older items that lack it stay, are listed, and count for nothing.

The rule is that of `domain.evidence.content`. A trigger and not a constraint, since an older item may still be
withdrawn.
"""

from alembic import op

revision = "0026"
down_revision = "0025"

_DAY = "[0-9]{4}-[01][0-9]-[0-3][0-9]"
_RFC_3339 = f"^{_DAY}[Tt ][0-2][0-9]:[0-5][0-9]:[0-5][0-9]([.][0-9]+)?([Zz]|[+-][0-2][0-9]:[0-5][0-9])$"

# Strict paths: a field that is not there is no match, and what cannot be compared is none either.
_TYPED = r"""
CREATE FUNCTION evidence_that_counts(pieces jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
SELECT jsonb_path_query_array(pieces, 'strict $[*] ? (
    (@.kind == "meter_reading" && @.register.type() == "number" && @.register >= 0
        && (@.unit == "Wh" || @.unit == "kWh")
        && @.time like_regex RFC_3339)
    || (@.kind == "reservation_response" && @.status like_regex "[^ \t\r\n]"
        && @.time like_regex RFC_3339)
    || (@.kind == "session" && (@.session_id.type() == "number" || @.session_id like_regex "[^ \t\r\n]"))
    || ((@.kind == "photo" || @.kind == "document")
        && @.url like_regex "^https://[^ \t\r\n/?#@]+([/?#][^ \t\r\n]*)?$"
        && @.sha256 like_regex "^[0-9A-Fa-f]{64}$")
    || (@.kind == "note" && @.text like_regex "[^ \t\r\n]")
)')
$$;
CREATE FUNCTION evidence_typed(pieces jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
SELECT pieces = '[]'::jsonb OR jsonb_array_length(pieces) = jsonb_array_length(evidence_that_counts(pieces))
$$;
CREATE FUNCTION evidence_item_typed(kind text, content jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
SELECT coalesce(kind IN ('photo', 'document') AND content #>> '{file,sha256}' ~ '^[0-9a-f]{64}$', false)
    OR evidence_typed(jsonb_build_array(
        coalesce(content -> 'data', '{}') || jsonb_build_object('kind', kind)
        || CASE kind WHEN 'note' THEN jsonb_build_object('text', content -> 'note') ELSE '{}' END))
$$;
"""

_REFUSED = """
CREATE FUNCTION refuse_untyped_evidence() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'evidence lacks what its kind needs: % into % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER faults_with_typed_evidence AFTER INSERT OR UPDATE OF evidence ON faults
    FOR EACH ROW WHEN (NOT evidence_typed(NEW.evidence)) EXECUTE FUNCTION refuse_untyped_evidence();
CREATE TRIGGER claim_evidence_typed AFTER INSERT ON claim_evidence
    FOR EACH ROW WHEN (NOT evidence_item_typed(NEW.kind, NEW.content::jsonb))
    EXECUTE FUNCTION refuse_untyped_evidence();
"""


def upgrade() -> None:
    op.execute(_TYPED.replace("RFC_3339", f'"{_RFC_3339}"'))
    op.execute(_REFUSED)
