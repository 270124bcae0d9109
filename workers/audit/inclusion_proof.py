"""Proves that an event is under a checkpoint, to somebody who holds only that."""

from typing import Any

from adapters.postgres.audit.log import AuditLog
from domain.audit import merkle
from domain.audit.checkpoint import parse
from domain.errors import LogBroken, NotFound


def prove(audit_log: AuditLog, claim_id: str, event: dict[str, Any]) -> dict[str, Any]:
    """Returns the inclusion proof of a claim's event, ready for JSON.

    It is under the latest checkpoint (RFC 6962, 2.1.1). `event` holds `seq` and `hash` in hexadecimal digits.
    Reads every leaf under the checkpoint. Raises `NotFound` when no checkpoint covers the event yet, and
    `LogBroken` when the log does not lead to the checkpoint's root.
    """
    position, lines = audit_log.position(claim_id, event["seq"]), audit_log.checkpoints()
    if position is None or not lines or parse(lines[-1]).size <= position:
        raise NotFound(
            "No checkpoint covers the claim's last event yet; make one with `spotclaim audit checkpoint`."
        )
    checkpoint = parse(lines[-1])
    leaves, leaf = audit_log.leaves(checkpoint.size), merkle.leaf_hash(bytes.fromhex(event["hash"]))
    path = merkle.inclusion_proof(leaves, position)
    if not merkle.includes(bytes.fromhex(checkpoint.root), checkpoint.size, position, leaf, path):
        raise LogBroken("The log does not lead from this event to its checkpoint; see `spotclaim audit verify`.")
    return {
        "event": event,
        "position": position,
        "leaf": leaf.hex(),
        "path": [neighbour.hex() for neighbour in path],
        "size": checkpoint.size,
        "root": checkpoint.root,
        "checkpoint": lines[-1],
    }
