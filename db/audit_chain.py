"""The hashes that prove the audit trail, as the database makes them (0024_audit_chain.sql).

Recomputed here, so that verification need not trust the database's own functions.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

NO_REQUEST = UUID(int=0)
"""The chain of the lines that belong to no request."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TEXTS = ("position", "id", "request_id", "action_id", "correlation_id", "event_type")
_MORE_TEXTS = ("event_data", "actor", "via", "reason")
_LAST_TEXTS = ("source_system", "run_id", "seq")


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain, and the last line of it that maintenance has removed."""

    chain: UUID
    position: int
    hash: bytes
    base_position: int = 0
    base_hash: bytes = b""


@dataclass(frozen=True, slots=True)
class Anchor:
    """An anchor: how many chains it covers, their root, and the hash that the next one links to."""

    id: int
    at: datetime
    chains: int
    root: bytes
    previous: bytes
    hash: bytes


def line_hash(previous: bytes, line: Mapping[str, Any]) -> bytes:
    """Return the hash of a line; ``event_data`` is the text that Postgres writes for it."""
    parts = [_part(line[name]) for name in (*_TEXTS, *_MORE_TEXTS)]
    parts.append(_part(microseconds(line["at"])))
    parts += [_part(line[name]) for name in _LAST_TEXTS]
    parts += [_part(microseconds(line["recorded_at"])), _part(line["identity"])]
    return hashlib.sha256(previous + b"".join(parts)).digest()


def anchor_root(heads: Iterable[Head]) -> bytes:
    """Return the root over the ends of chains, which come in the order of the chains."""
    digest = hashlib.sha256()
    for head in heads:
        digest.update(
            head.chain.bytes
            + _number(head.position)
            + head.hash
            + _number(head.base_position)
            + head.base_hash
        )
    return digest.digest()


def anchor_hash(anchor: Anchor) -> bytes:
    """Return the hash that an anchor must carry."""
    numbers = (anchor.id, microseconds(anchor.at), anchor.chains)
    content = anchor.previous + b"".join(map(_number, numbers)) + anchor.root
    return hashlib.sha256(content).digest()


def read_anchor(document: Any) -> Anchor:
    """Return the anchor of an exported or logged document; raises ``ValueError`` otherwise."""
    try:
        document = document.get("anchor", document)
        return Anchor(
            id=int(document["id"]),
            at=datetime.fromisoformat(document["at"]),
            chains=int(document["chains"]),
            root=bytes.fromhex(document["root"]),
            previous=bytes.fromhex(document["previous"]),
            hash=bytes.fromhex(document["hash"]),
        )
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError("it is not an anchor of an audit trail") from error


def anchor_document(anchor: Anchor) -> dict[str, Any]:
    """Return an anchor as it is exported."""
    return {
        "format": "pao-audit-anchor/1",
        "id": anchor.id,
        "at": anchor.at.isoformat(),
        "chains": anchor.chains,
        "root": anchor.root.hex(),
        "previous": anchor.previous.hex(),
        "hash": anchor.hash.hex(),
    }


def microseconds(moment: datetime) -> int:
    """Return a time as Postgres counts it, without rounding."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _part(value: object) -> bytes:
    if value is None:
        return b"-"
    content = str(value).encode()
    return f"{len(content)}:".encode() + content


def _number(value: int) -> bytes:
    return value.to_bytes(8, "big", signed=True)
