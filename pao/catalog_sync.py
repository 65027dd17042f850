"""Brings the catalog in Postgres up to date with its source: locked, told to all, changes only.

The API does it for a folder that it watches; whoever else reads a source does it the same way.
"""

import asyncio
import logging
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from catalog.loading import DocumentError
from catalog.sources.settling import Facts, Seen, Settlement, settle
from catalog.sources.source import Source, SourceUnavailableError
from catalog.sources.verdicts import FileVerdict, judge_content, rules_id, unreadable
from catalog.validation import ActionSchema, Finding, Severity
from db.locks import advisory_lock
from db.repositories.catalog import LOCK, CatalogRepository, Served, Standing, StoredItem
from db.repositories.catalog_files import CatalogFilesRepository, StoredFile
from db.session import Database

_log = logging.getLogger(__name__)

# A first load of a very large catalog takes this long on a slow machine.
LOCK_SECONDS = 60.0
# More is read by nobody, and every process keeps them in memory.
MOST_REFUSED = 5_000


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync changed, by item id, and the files that were refused.

    ``judged`` counts the files that were read and checked for it.
    """

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    judged: int = 0


@dataclass(frozen=True, slots=True)
class _Known:
    """What Postgres knew before: the files as they were judged, and what is served."""

    files: Mapping[str, StoredFile]
    served: Mapping[str, Served]
    standing: Standing


class CatalogSync:
    """Reads a source and stores what it says; any number of processes may try at once."""

    def __init__(
        self, database: Database, source: Source, known_actions: Mapping[str, ActionSchema]
    ) -> None:
        self._database = database
        self._source = source
        self._known_actions = known_actions
        self._rules = rules_id(known_actions)

    async def run(self) -> SyncReport:
        """Bring the catalog up to date; answers what has changed by that.

        Raises ``SourceUnavailableError``: the catalog stays as it is, and the reason is stored.
        """
        async with advisory_lock(self._database, LOCK, seconds=LOCK_SECONDS):
            known = await self._known()
            try:
                reading = await asyncio.to_thread(self._read, known)
            except SourceUnavailableError as error:
                await self._fail(str(error))
                raise
            report = _report(reading, known)
            await self._store(reading, known)
        return report

    async def _known(self) -> _Known:
        async with self._database.reading() as session:
            repository = CatalogRepository(session)
            return _Known(
                files=await CatalogFilesRepository(session).all(),
                served=await repository.served(),
                standing=await repository.standing(),
            )

    def _read(self, known: _Known) -> "_Reading":
        """Read the source and judge what is new, in a thread: all of it may take seconds."""
        listing = self._source.listing()
        if known.served and not listing:
            # Far more often a volume that is not mounted than a catalog that was given up.
            raise SourceUnavailableError("the source holds no document at all any more")
        reading = _Reading(self._rules)
        for path, sha in listing.items():
            file = known.files.get(path)
            if file is not None and sha and (file.sha, file.judged_by) == (sha, self._rules):
                reading.keep(file)
            else:
                reading.add(self._judge(path))
        reading.settle(known.served)
        for path in reading.missing():
            reading.add(self._judge(path))
        return reading

    def _judge(self, path: str) -> FileVerdict:
        try:
            content = self._source.content(path)
        except DocumentError as error:
            return FileVerdict(path, "", None, findings=(unreadable(error),))
        return judge_content(content, path=path, known_actions=self._known_actions)

    async def _fail(self, reason: str) -> None:
        _log.warning("the catalog source cannot be read: %s", reason)
        async with self._database.unit_of_work() as session:
            await CatalogRepository(session).fail(reason)

    async def _store(self, reading: "_Reading", known: _Known) -> None:
        settled = reading.settled
        changes = settled.written or settled.mended or settled.stale or settled.removed
        async with self._database.unit_of_work() as session:
            repository = CatalogRepository(session)
            generation = known.standing.generation
            if changes:
                generation = await repository.next_generation()
                await repository.upsert_all(reading.items(generation))
                await repository.mark(settled.mended, stale=False, generation=generation)
                await repository.mark(settled.stale, stale=True, generation=generation)
                await repository.remove(settled.removed)
            files = CatalogFilesRepository(session)
            await files.upsert_all(list(reading.judged.values()))
            await files.remove(known.files.keys() - reading.seen.keys())
            await repository.stand(self._standing(generation, settled.refused))

    def _standing(self, generation: int, refused: tuple[Finding, ...]) -> Standing:
        return Standing(
            generation=generation,
            source=self._source.name,
            revision=self._source.revision,
            synced_at=datetime.now(UTC),
            refused=[asdict(finding) for finding in refused[:MOST_REFUSED]],
        )


class _Reading:
    """What one look at the source has shown; grows while it is read."""

    def __init__(self, rules: str) -> None:
        self._rules = rules
        self.seen: dict[str, Seen] = {}
        self.judged: dict[str, StoredFile] = {}
        self.settled: Settlement
        self._loaded: dict[str, FileVerdict] = {}

    def keep(self, file: StoredFile) -> None:
        """Take a file over as it was judged before."""
        facts = Facts(path=file.path, **file.facts) if file.facts else None
        findings = tuple(_finding(found) for found in file.findings)
        self.seen[file.path] = Seen(file.sha, facts, findings)

    def add(self, verdict: FileVerdict) -> None:
        """Take a file that was judged now."""
        facts = Facts.of(verdict.item, path=verdict.path) if verdict.item else None
        self.seen[verdict.path] = Seen(verdict.sha, facts, verdict.findings)
        self._loaded[verdict.path] = verdict
        self.judged[verdict.path] = StoredFile(
            path=verdict.path,
            sha=verdict.sha,
            judged_by=self._rules,
            facts=_facts(facts),
            findings=[asdict(finding) for finding in verdict.findings],
        )

    def settle(self, served: Mapping[str, Served]) -> None:
        """Decide what is served from what was seen."""
        self.settled = settle(self.seen, served)

    def missing(self) -> list[str]:
        """Name the files whose document is to be stored and was not read yet."""
        return [path for path in self.settled.written.values() if path not in self._loaded]

    def items(self, generation: int) -> list[StoredItem]:
        """Give the documents that are to be stored."""
        paths = sorted(self.settled.written.values())
        verdicts = (self._loaded[path] for path in paths)
        return [_stored(verdict, generation) for verdict in verdicts if verdict.item is not None]


def _stored(verdict: FileVerdict, generation: int) -> StoredItem:
    item = verdict.item
    if item is None:
        raise ValueError(f"{verdict.path} holds no item")
    return StoredItem(
        id=item.id,
        kind=item.kind,
        version=item.version,
        name=item.name,
        category=item.category,
        owner_team=item.owner_team,
        definition=verdict.definition,
        file_path=verdict.path,
        sha=verdict.sha,
        generation=generation,
    )


def _report(reading: _Reading, known: _Known) -> SyncReport:
    settled = reading.settled
    written: Collection[str] = settled.written
    before = known.served
    # A file that was only moved holds the item that was served.
    changed = [
        key
        for key, path in settled.written.items()
        if key in before and before[key].sha != reading.seen[path].sha
    ]
    return SyncReport(
        added=tuple(sorted(set(written) - before.keys())),
        changed=tuple(sorted(changed)),
        removed=tuple(sorted(settled.removed)),
        refused=tuple(sorted(settled.refused_files)),
        judged=len(reading.judged),
    )


def _facts(facts: Facts | None) -> dict[str, Any] | None:
    return {key: value for key, value in asdict(facts).items() if key != "path"} if facts else None


def _finding(found: Mapping[str, Any]) -> Finding:
    return replace(Finding(**found), severity=Severity(found["severity"]))
