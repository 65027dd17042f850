"""Brings the catalog in Postgres up to date with its source: locked, told to all, changes only.

The API does it for a folder that it watches; whoever else reads a source does it the same way.
"""

import asyncio
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from catalog.document_kinds import parse_definition
from catalog.loading import Document, DocumentError, load_document
from catalog.model import CatalogDocument
from catalog.sources.files import blob_id
from catalog.sources.local import LocalFolder
from catalog.sources.source import SourceUnavailableError
from catalog.validation import ActionSchema, Finding, check_across_files, unreadable, validate
from catalog.validation.rules_digest import rules_digest
from db.leases import HeldLease, lease
from db.repositories.catalog import LEASE, CatalogRepository, CatalogStanding, Lineage
from db.repositories.catalog_files import CatalogFilesRepository
from db.session import Database
from pao.app.catalog_sync.order import OUTDATED, Revision, after, revision_of, takes
from pao.app.catalog_sync.reading import Known, Reading

_log = logging.getLogger(__name__)

# A first load of a very large catalog takes this long on a slow machine.
LOCK_SECONDS = 60.0
# More is read by nobody, and every process keeps them in memory.
MOST_REFUSED = 5_000


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync changed, by item id, and the files that were refused.

    ``judged`` counts the files that were read and checked for it; ``outdated`` says why nothing
    was, where the folder is not newer than what is served.
    """

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    judged: int = 0
    outdated: str | None = None

    def summary(self) -> str:
        """Say in one line how much has changed, for logs."""
        parts = ("added", "changed", "removed")
        told = [f"{len(getattr(self, part))} {part}" for part in parts]
        return f"{', '.join(told)}, {self.judged} files judged, {len(self.refused)} refused"


class CatalogSync:
    """Reads a source and stores what it says; any number of processes may try at once."""

    def __init__(
        self, database: Database, source: LocalFolder, known_actions: Mapping[str, ActionSchema]
    ) -> None:
        self._database = database
        self._source = source
        self._known_actions = known_actions
        self._rules = rules_digest(known_actions)
        self._seen: str | None = None
        self.outdated: str | None = None
        """Why the source of this process is not what is served, where it is not."""

    async def run(self, *, force: bool = False) -> SyncReport:
        """Bring the catalog up to date; return what has changed.

        A source that is not newer than what is served changes nothing, unless it is forced. Raises
        ``SourceUnavailableError``: the catalog stays as it is, and the reason is stored.
        """
        async with lease(self._database, LEASE, seconds=LOCK_SECONDS) as held:
            known = await self._known()
            try:
                listing = await asyncio.to_thread(self._listing, known)
                revision = revision_of(listing, self._source.changed_at)
                if not self._takes(known.lineage, revision, force=force):
                    return SyncReport(outdated=self.outdated)
                reading = await asyncio.to_thread(self._read, listing, known)
                across = await self._across(reading, known)
                await asyncio.to_thread(self._select, reading, known, across)
            except SourceUnavailableError as error:
                await self._fail(str(error))
                raise
            report = _report(reading, known)
            await self._store(reading, known, held, after(known.lineage, revision))
            self._seen = revision.digest
        if report.judged or report.removed:
            _log.info("catalog brought up to date: %s", report.summary())
        return report

    async def _known(self) -> Known:
        async with self._database.reading() as session:
            repository = CatalogRepository(session)
            return Known(
                files=await CatalogFilesRepository(session).all(),
                served=await repository.served(),
                standing=await repository.standing(),
                lineage=await repository.lineage(),
            )

    def _takes(self, lineage: Lineage, revision: Revision, *, force: bool) -> bool:
        changed_here = self._seen not in (None, revision.digest)
        before = self.outdated
        fits = force or takes(lineage, revision, changed_here=changed_here)
        self.outdated = None if fits else OUTDATED
        if fits:
            return True
        self._seen = revision.digest
        if not before:
            _log.warning("the catalog is not read: %s", self.outdated)
        return False

    def _listing(self, known: Known) -> Mapping[str, str]:
        """List the source, in a thread."""
        listing = self._source.listing()
        if known.served and not listing:
            # Far more often a volume that is not mounted than a catalog that was given up.
            raise SourceUnavailableError("the source holds no document at all any more")
        return listing

    def _read(self, listing: Mapping[str, str], known: Known) -> Reading:
        """Judge what is new in the source, in a thread: all of it may take seconds."""
        reading = Reading(self._rules)
        for path, sha in listing.items():
            file = known.files.get(path)
            if file is not None and sha and (file.sha, file.judged_by) == (sha, self._rules):
                reading.keep(file)
            else:
                self._validate(path, reading)
        return reading

    async def _across(self, reading: Reading, known: Known) -> Sequence[Finding]:
        """Look at the files together that name each other; of the others none can be wrong."""
        if reading.is_as_known(known):
            return known.refused
        wanted = {path: facts.id for path, facts in reading.linked().items()}
        wanted |= reading.fallen(known.served)
        stored = {
            path: key
            for path, key in wanted.items()
            if reading.document(path) is None and _is_stored(path, key, known)
        }
        async with self._database.reading() as session:
            found = await CatalogRepository(session).definitions(stored.values())
        definitions = {path: found[key] for path, key in stored.items() if key in found}
        return await asyncio.to_thread(self._check_across_files, reading, wanted, definitions)

    def _check_across_files(
        self, reading: Reading, paths: Iterable[str], definitions: Mapping[str, Any]
    ) -> list[Finding]:
        documents: dict[str, CatalogDocument] = {}
        for path in paths:
            stored = _parsed(definitions.get(path))
            if stored is not None:
                documents[path] = stored
                continue
            if reading.document(path) is None:
                self._validate(path, reading)
            document = reading.document(path)
            if document is not None:
                documents[path] = document
        return check_across_files(documents, self._document, known_actions=self._known_actions)

    def _document(self, path: str) -> Document:
        return load_document(self._source.content(path), file=path)

    def _select(self, reading: Reading, known: Known, across: Sequence[Finding]) -> None:
        reading.select(known.served, across)
        for path in reading.missing():
            self._validate(path, reading)

    def _validate(self, path: str, reading: Reading) -> None:
        try:
            content = self._source.content(path)
        except DocumentError as error:
            reading.add(unreadable(error), "")
            return
        result = validate(content, file=path, known_actions=self._known_actions)
        reading.add(result, blob_id(content))

    async def _fail(self, reason: str) -> None:
        _log.warning("the catalog source cannot be read: %s", reason)
        async with self._database.unit_of_work() as session:
            await CatalogRepository(session).fail(reason)

    async def _store(
        self, reading: Reading, known: Known, held: HeldLease, lineage: Lineage
    ) -> None:
        selection = reading.selection
        changes = selection.written or selection.recovered or selection.stale or selection.removed
        async with self._database.unit_of_work() as session:
            await held.check(session)
            repository = CatalogRepository(session)
            await repository.set_lineage(lineage)
            generation = known.standing.generation
            if changes:
                generation = await repository.next_generation()
                await repository.upsert_all(reading.items(generation))
                await repository.mark(selection.recovered, stale=False, generation=generation)
                await repository.mark(selection.stale, stale=True, generation=generation)
                await repository.remove(selection.removed, generation=generation)
            files = CatalogFilesRepository(session)
            await files.upsert_all(list(reading.judged.values()))
            await files.remove(known.files.keys() - reading.seen.keys())
            await repository.stand(self._standing(generation, selection.refused))

    def _standing(self, generation: int, refused: tuple[Finding, ...]) -> CatalogStanding:
        return CatalogStanding(
            generation=generation,
            source=self._source.name,
            revision=self._source.revision,
            synced_at=datetime.now(UTC),
            refused=[asdict(finding) for finding in refused[:MOST_REFUSED]],
        )


def _parsed(definition: Mapping[str, Any] | None) -> CatalogDocument | None:
    """Parse a stored definition; None where an earlier version stored what this one refuses."""
    try:
        return parse_definition(definition) if definition is not None else None
    except ValidationError as error:
        _log.warning("a stored item is no longer valid and is read anew: %s", error.title)
        return None


def _is_stored(path: str, key: str, known: Known) -> bool:
    """Return whether Postgres holds the document of a file: as it is now, or its last good one."""
    served, file = known.served.get(key), known.files.get(path)
    return (
        served is not None
        and served.path == path
        and (file is None or file.facts is None or served.sha == file.sha)
    )


def _report(reading: Reading, known: Known) -> SyncReport:
    selection = reading.selection
    written: Collection[str] = selection.written
    before = known.served
    # A file that was only moved holds the item that was served.
    changed = [
        key
        for key, path in selection.written.items()
        if key in before and before[key].sha != reading.seen[path].sha
    ]
    return SyncReport(
        added=tuple(sorted(set(written) - before.keys())),
        changed=tuple(sorted(changed)),
        removed=tuple(sorted(selection.removed)),
        refused=tuple(sorted(selection.refused_files)),
        judged=len(reading.judged),
    )
