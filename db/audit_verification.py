"""Verifies the audit trail: every chain of lines, every anchor, and anchors that were exported."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg

from db.audit_chain import NO_REQUEST, Anchor, Head, anchor_hash, anchor_root, line_hash
from db.connections import connection

CONNECT_SECONDS = 10.0
KEPT = timedelta(days=365)
"""No younger line may have been removed."""

HEADS_KEPT = timedelta(days=730)
"""How long the chain ends of an anchor are kept at least; root and hash are kept for ever."""

_AT_ONCE = 1000
_ORDER = "ORDER BY nullif(chain, '00000000-0000-0000-0000-000000000000') NULLS LAST"
_HEADS = f"SELECT chain, position, hash, base_position, base_hash FROM audit_heads {_ORDER}"  # noqa: S608 -- our own words
_ANCHORED = f"""
    SELECT chain, anchor_id, position, hash, base_position, base_hash FROM audit_anchor_heads
    {_ORDER}, anchor_id
"""  # noqa: S608 -- as above
_LINES = """
    SELECT
        id, request_id, action_id, correlation_id, event_type, event_data::text AS event_data,
        actor, via, reason, at, source_system, run_id, seq, identity, recorded_at, position, hash
    FROM audit_logs ORDER BY request_id, id
"""
_ANCHORS = "SELECT id, at, chains, root, previous, hash FROM audit_anchors ORDER BY id"
_ANCHOR_HEADS = """
    SELECT chain, position, hash, base_position, base_hash FROM audit_anchor_heads
    WHERE anchor_id = $1 ORDER BY chain
"""

Rows = tuple[UUID, list[asyncpg.Record]]


@dataclass(frozen=True, slots=True)
class AuditFinding:
    """A mismatch: ``changed``, ``missing``, ``extra``, ``anchor`` or ``early``.

    ``chain`` is the id of a request, or of zeros for lines that belong to none.
    """

    kind: str
    message: str
    chain: str | None = None
    position: int | None = None


@dataclass(slots=True)
class AuditVerification:
    """What was verified, and the mismatches found."""

    lines: int = 0
    chains: int = 0
    anchors: int = 0
    removed_lines: int = 0
    findings: list[AuditFinding] = field(default_factory=list)


async def verify(url: str, *, exported: Sequence[Anchor] = ()) -> AuditVerification:
    """Return the result of verifying one consistent snapshot of the database, without locks."""
    verification = AuditVerification()
    async with (
        connection(url, timeout=CONNECT_SECONDS) as reader,
        reader.transaction(isolation="repeatable_read", readonly=True),
    ):
        anchors = await _check_anchors(reader, verification)
        _check_exported(exported, anchors, verification)
        heads, lines = _groups(reader, _HEADS, "chain"), _groups(reader, _LINES, "request_id")
        anchored = _groups(reader, _ANCHORED, "chain")
        async for chain, parts in _merge(heads, lines, anchored):
            _Chain(chain, parts, verification).verify(anchors)
    return verification


async def _check_anchors(
    reader: asyncpg.Connection, verification: AuditVerification
) -> dict[int, Anchor]:
    anchors = [Anchor(*row) for row in await reader.fetch(_ANCHORS)]
    before = Anchor(0, datetime.now(UTC), 0, b"", b"", b"")
    for anchor in anchors:
        verification.anchors += 1
        if anchor.id != before.id + 1:
            _add_anchor_finding(
                verification, "anchor", f"anchors {before.id + 1} to {anchor.id - 1} are missing"
            )
        elif anchor.previous != before.hash:
            _add_anchor_finding(
                verification, "anchor", f"anchor {anchor.id} does not follow the one before it"
            )
        if anchor_hash(anchor) != anchor.hash:
            _add_anchor_finding(verification, "anchor", f"anchor {anchor.id} was changed")
        heads = [Head(*row) for row in await reader.fetch(_ANCHOR_HEADS, anchor.id)]
        pruned = len(heads) < anchor.chains and anchor.at < datetime.now(UTC) - HEADS_KEPT
        if not pruned and (len(heads), anchor_root(heads)) != (anchor.chains, anchor.root):
            _add_anchor_finding(
                verification, "anchor", f"the chains that anchor {anchor.id} covers were changed"
            )
        before = anchor
    return {anchor.id: anchor for anchor in anchors}


def _check_exported(
    exported: Sequence[Anchor], anchors: dict[int, Anchor], verification: AuditVerification
) -> None:
    for anchor in exported:
        stored = anchors.get(anchor.id)
        if stored is None:
            text = (
                f"anchor {anchor.id} of {anchor.at:%Y-%m-%d %H:%M:%S} is missing: anchors were"
                " removed, or the database is older than the export"
            )
            _add_anchor_finding(verification, "anchor", text)
        elif stored != anchor:
            text = f"anchor {anchor.id} differs from the exported one: the trail was rebuilt"
            _add_anchor_finding(verification, "anchor", text)


def _add_anchor_finding(verification: AuditVerification, kind: str, message: str) -> None:
    verification.findings.append(AuditFinding(kind, message))


class _Chain:
    """One chain: its end as it is stored, its lines, and its ends as anchors cover them."""

    def __init__(
        self,
        chain: UUID,
        parts: Sequence[list[asyncpg.Record]],
        verification: AuditVerification,
    ) -> None:
        head, lines, anchored = parts
        self._chain = chain
        self._head = Head(*head[0]) if head else None
        self._lines = sorted(lines, key=lambda line: int(line["position"]))
        self._anchored = anchored
        self._verification = verification

    def verify(self, anchors: dict[int, Anchor]) -> None:
        """Record every mismatch."""
        self._verification.chains += 1
        self._verification.lines += len(self._lines)
        if self._head is None:
            self._add_finding("missing", "the end of this chain is missing", None)
        self._verification.removed_lines += self._head.base_position if self._head else 0
        self._check_links(self._head or Head(self._chain, 0, b""))
        self._check_anchored()
        self._check_removed(anchors)

    def _check_links(self, head: Head) -> None:
        previous: bytes | None = head.base_hash
        expected = head.base_position + 1
        for line in self._lines:
            position = line["position"]
            if position < expected:
                self._add_finding("extra", "a second line at this place", position)
                continue
            if position > expected:
                self._add_missing(expected, position - 1)
            elif previous is not None and line_hash(previous, line) != line["hash"]:
                self._add_finding("changed", "this line, or its place, was changed", position)
            previous, expected = line["hash"], position + 1
        if self._head is None:
            return
        if expected <= head.position:
            self._add_missing(expected, head.position)
        elif expected > head.position + 1:
            self._add_finding("extra", "lines after the end of the chain", head.position + 1)
        elif previous != head.hash:
            self._add_finding("changed", "the end of the chain has a different hash", head.position)

    def _check_anchored(self) -> None:
        hashes = {line["position"]: line["hash"] for line in self._lines}
        head = self._head or Head(self._chain, 0, b"")
        if head.base_position:
            hashes[head.base_position] = head.base_hash
        for anchored in self._anchored:
            position = anchored["position"]
            if position < head.base_position:
                continue
            if position not in hashes:
                text = f"anchor {anchored['anchor_id']} covers a line that is missing"
                self._add_finding("missing", text, position)
            elif hashes[position] != anchored["hash"]:
                text = f"this line differs from what anchor {anchored['anchor_id']} covers"
                self._add_finding("changed", text, position)

    def _check_removed(self, anchors: dict[int, Anchor]) -> None:
        """Record lines that were removed too early, as an anchor of the last year proves."""
        base = self._head.base_position if self._head else 0
        if not base or not anchors:
            return
        below = [known["anchor_id"] for known in self._anchored if known["position"] < base]
        above = [known["anchor_id"] for known in self._anchored if known["position"] >= base]
        oldest = min(anchors.values(), key=lambda anchor: anchor.id)
        if not below and oldest.at < datetime.now(UTC) - HEADS_KEPT:
            # What such old anchors cover is no longer kept.
            return
        witness = anchors.get(min(above) - 1 if above else max(anchors))
        if witness is not None and witness.at > datetime.now(UTC) - KEPT:
            text = f"lines up to {base} were removed, though they are younger than anchor"
            self._add_finding("early", f"{text} {witness.id}, and that is not a year old", base)

    def _add_missing(self, first: int, last: int) -> None:
        text = f"line {first} is" if first == last else f"lines {first} to {last} are"
        self._add_finding("missing", f"{text} missing", first)

    def _add_finding(self, kind: str, message: str, position: int | None) -> None:
        self._verification.findings.append(AuditFinding(kind, message, str(self._chain), position))


async def _groups(reader: asyncpg.Connection, query: str, key: str) -> AsyncIterator[Rows]:
    """Yield the rows of each chain together; lines without a request are the chain of zeros."""
    rows: list[asyncpg.Record] = []
    chain: UUID | None = None
    async for row in reader.cursor(query, prefetch=_AT_ONCE):
        own = UUID(str(row[key])) if row[key] is not None else NO_REQUEST
        if rows and own != chain:
            yield chain or NO_REQUEST, rows
            rows = []
        chain = own
        rows.append(row)
    if rows:
        yield chain or NO_REQUEST, rows


async def _merge(
    *streams: AsyncIterator[Rows],
) -> AsyncIterator[tuple[UUID, list[list[asyncpg.Record]]]]:
    """Yield each chain with its rows in every stream; all streams have the same order."""
    current: list[Rows | None] = [await anext(stream, None) for stream in streams]
    while any(current):
        chain = min((one[0] for one in current if one), key=_order)
        yield chain, [one[1] if one and one[0] == chain else [] for one in current]
        for number, one in enumerate(current):
            if one and one[0] == chain:
                current[number] = await anext(streams[number], None)


def _order(chain: UUID) -> tuple[bool, bytes]:
    return chain == NO_REQUEST, chain.bytes
