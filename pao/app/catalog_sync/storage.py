"""Stores what was read in one transaction, and reports what has changed."""

from collections.abc import Collection, Iterable
from dataclasses import asdict, replace
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from catalog.ownership import CODE_OWNERS_RULE, OWNERSHIP_RULE
from catalog.validation import Finding, Severity
from db.repositories.catalog import CatalogRepository
from db.repositories.catalog_blobs import CatalogBlobsRepository
from db.repositories.catalog_files import CatalogFilesRepository
from db.repositories.catalog_state import (
    CatalogStateRepository,
    Lineage,
    SourceMemory,
    StoredCatalogStatus,
)
from pao.app.catalog_sync.reading import CatalogReading
from pao.app.catalog_sync.source_tree import SourceTree, StoredCatalog
from pao.core.payloads.catalog import SyncReport

# Nobody reads more, and every process keeps them in memory.
MAX_FINDINGS = 5_000
_OWNERSHIP_RULES = frozenset({OWNERSHIP_RULE, CODE_OWNERS_RULE})
# Names of one kind in a report, and their bytes: it travels through Temporal, which accepts two
# megabytes, and paths may be long.
MAX_NAMES, MAX_NAME_BYTES = 5_000, 300_000


async def store(  # noqa: PLR0913 -- what is stored together, each part named
    session: AsyncSession,
    reading: CatalogReading,
    stored: StoredCatalog,
    tree: SourceTree,
    *,
    across: Iterable[Finding],
    lineage: Lineage,
    source: str,
) -> None:
    """Store documents, findings and state; the caller commits."""
    selection = reading.selection
    changes = selection.written or selection.recovered or selection.stale or selection.removed
    repository = CatalogRepository(session)
    generation = stored.status.generation
    if changes:
        generation = await repository.next_generation()
        await repository.upsert_all(reading.items(generation))
        await repository.mark(selection.recovered, stale=False, generation=generation)
        await repository.mark(selection.stale, stale=True, generation=generation)
        await repository.remove(selection.removed, generation=generation)
    files = CatalogFilesRepository(session)
    gone = stored.files.keys() - reading.seen.keys()
    await files.upsert_all(list(reading.judged.values()))
    await files.remove(gone)
    beside = [asdict(entry) for entry in tree.beside]
    if reading.judged or gone or beside != stored.memory.beside:
        await CatalogBlobsRepository(session).forget_unused([one.blob for one in tree.beside])
    refused = [asdict(finding) for finding in selection.refused[:MAX_FINDINGS]]
    ownership = [
        asdict(one)
        for one in reading.findings(across)
        if one.rule in _OWNERSHIP_RULES and one.severity is not Severity.ERROR
    ][:MAX_FINDINGS]
    state = CatalogStateRepository(session)
    if tree.failed:
        known = replace(stored.status, generation=generation)
        await state.store(replace(known, refused=refused, ownership=ownership))
        return
    now, before = datetime.now(UTC), stored.status
    await state.store(
        StoredCatalogStatus(
            generation=generation,
            source=source,
            revision=tree.revision,
            commit=tree.commit or (before.commit if tree.revision == before.revision else None),
            synced_at=now,
            asked_at=now,
            notice=tree.notice,
            refused=refused,
            ownership=ownership,
        ),
        lineage=lineage,
        memory=SourceMemory(dict(tree.memory), beside),
    )


def report_of(reading: CatalogReading, stored: StoredCatalog, revision: str) -> SyncReport:
    """Return what has changed, by name."""
    selection, before = reading.selection, stored.served
    # A file that was only moved holds the item that was served.
    changed = [
        key
        for key, path in selection.written.items()
        if key in before and before[key].sha != reading.seen[path].sha
    ]
    kinds: dict[str, Collection[str]] = {
        "added": selection.written.keys() - before.keys(),
        "changed": changed,
        "removed": selection.removed,
        "refused": selection.refused_files,
    }
    named = {kind: _first_names(names) for kind, names in kinds.items()}
    left = {kind: len(names) - len(named[kind]) for kind, names in kinds.items()}
    return SyncReport(
        added=named["added"],
        changed=named["changed"],
        removed=named["removed"],
        refused=named["refused"],
        judged=len(reading.judged),
        revision=revision,
        unnamed={kind: count for kind, count in left.items() if count},
    )


def is_stored(path: str, key: str, stored: StoredCatalog) -> bool:
    """Return whether Postgres holds the document of a file: the current or the last good one."""
    served, file = stored.served.get(key), stored.files.get(path)
    return (
        served is not None
        and served.path == path
        and (file is None or file.facts is None or served.sha == file.sha)
    )


def _first_names(names: Iterable[str]) -> tuple[str, ...]:
    names_within_limit: list[str] = []
    left = MAX_NAME_BYTES
    for name in sorted(names)[:MAX_NAMES]:
        left -= len(name.encode())
        if left < 0:
            break
        names_within_limit.append(name)
    return tuple(names_within_limit)
