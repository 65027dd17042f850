"""Brings the catalog in Postgres up to date with its source; stores only changes.

Runs in the worker, started by the sync workflow. A source without changes costs one call; a file
is checked again only when it, the rules or its companion files change.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime

from catalog.sources.companion_checks import CompanionCheck
from catalog.sources.source import (
    CatalogSource,
    FilesTooLongError,
    Listing,
    ListingContext,
    PollSkippedError,
    SourceLimitedError,
    SourceMovedError,
    SourceUnavailableError,
    Unchanged,
)
from catalog.sources.verdict import Verdict, VerdictReporter
from catalog.validation import ActionSchema, Finding
from catalog.validation.rules_digest import rules_digest
from db.leases import HeldLease, lease
from db.repositories.catalog import LEASE, CatalogRepository
from db.repositories.catalog_files import CatalogFilesRepository
from db.repositories.catalog_state import CatalogStateRepository
from db.session import Database
from pao.app.catalog_sync.author_reports import AuthorReports
from pao.app.catalog_sync.contents import FileContents, ProposalContents
from pao.app.catalog_sync.document_checks import DocumentChecker, rules_identity
from pao.app.catalog_sync.mass_removal import held_removal
from pao.app.catalog_sync.order import OUTDATED, may_replace, next_lineage, revision_of
from pao.app.catalog_sync.reading import CatalogReading, finding_of
from pao.app.catalog_sync.source_tree import (
    SourceTree,
    StoredCatalog,
    commit_of,
    readable_entries,
    refuse_early_poll,
)
from pao.app.catalog_sync.storage import is_stored, report_of, store
from pao.core.payloads.catalog import HeldRevision, SyncInput, SyncReport
from pao.runtime import tracing
from pao.runtime.garbage_collection import full_collections_postponed
from pao.runtime.process_metrics import SourceCalls

_log = logging.getLogger(__name__)

# A first load of a very large catalog takes this long on a slow machine.
LOCK_SECONDS = 60.0
# How often a source that changes while it is read is listed again.
MAX_LISTINGS = 3
_BATCH_SIZE = 100
EMPTY = "the source holds no document at all any more"
ANYTHING = SyncInput()


class CatalogSync:
    """Reads a source and stores its catalog; any number of processes may try at once."""

    def __init__(
        self,
        database: Database,
        source: CatalogSource,
        known_actions: Mapping[str, ActionSchema],
        *,
        check: CompanionCheck | None = None,
        reporter: VerdictReporter | None = None,
    ) -> None:
        self._database = database
        self._source = source
        self._known_actions = known_actions
        self._check = check
        self.reports = AuthorReports(database, reporter)
        self._rules = rules_digest(known_actions)
        self._seen: str | None = None
        # A failed sync is retried at once; checking is the longest part of a large one.
        self._unfinished: CatalogReading | None = None

    async def run(self, asked: SyncInput = ANYTHING) -> SyncReport:
        """Bring the catalog up to date; return what has changed.

        A copy that is not newer than what is served changes nothing, unless it is forced; neither
        does a revision that is held back, unless it is confirmed. A poll that is skipped leaves
        everything as it was. Raises ``SourceUnavailableError``: the catalog stays as it is, and the
        reason is stored.
        """
        async with lease(self._database, LEASE, seconds=LOCK_SECONDS) as held:
            for remaining in reversed(range(MAX_LISTINGS)):
                try:
                    report = await self._sync_once(asked, held)
                    break
                except PollSkippedError as skipped:
                    _log.info("a poll of the catalog is skipped: %s", skipped)
                    return SyncReport(skipped=str(skipped))
                except SourceMovedError as error:
                    if remaining:
                        continue
                    await self._fail(error)
                    raise
                except SourceUnavailableError as error:
                    await self._fail(error)
                    raise
        if report.judged or report.removed:
            _log.info("catalog brought up to date: %s", report.summary())
        return report

    async def known(self) -> ListingContext:
        """Return the last known state of the source, for other calls to it."""
        return (await self._load_stored()).known(self._source.name, ANYTHING)

    async def check_listing(
        self, found: Listing | Unchanged, *, fork: Listing | None = None
    ) -> Verdict:
        """Return the verdict on a listing; nothing is stored.

        With ``fork``, where it has left the branch: the verdict on it once merged.
        """
        stored = await self._load_stored()
        tree = SourceTree.of(found, stored)
        if fork is not None:
            tree = tree.merged(SourceTree.of(fork, stored), stored)
        contents = ProposalContents(self._database, self._source, tree.revision)
        reading, across = await self._read(tree, stored, contents, resumable=False)
        held = held_removal(
            reading.selection.removed,
            served=len(stored.served),
            revision=tree.revision,
            confirm=None,
        )
        verdict = _verdict(tree, reading, across, held)
        return replace(verdict, emptied=bool(stored.served and not tree.entries))

    def calls(self) -> SourceCalls | None:
        """Return how often the source was called, for metrics; None for a folder."""
        usage = self._source.usage()
        if usage is None:
            return None
        return SourceCalls(self._source.name, usage.calls, usage.remaining, usage.limit)

    async def close(self) -> None:
        """Close the connections of the source."""
        await self._source.close()

    async def _sync_once(self, asked: SyncInput, held: HeldLease) -> SyncReport:
        stored = await self._load_stored()
        tree = await self._tree(asked, stored)
        if stored.served and not tree.entries:
            # This is usually an unmounted volume, not an abandoned catalog.
            raise SourceUnavailableError(EMPTY)
        if not self._may_replace(tree, stored, force=asked.force):
            return await self._keep_current(tree, stored, outdated=OUTDATED)
        contents = FileContents(self._database, self._source, tree.revision)
        with tracing.tracer().start_as_current_span("catalog.judge") as span:
            reading, across = await self._read(tree, stored, contents, resumable=True)
            span.set_attribute("pao.files", len(reading.judged))
        removed = reading.selection.removed
        removal = held_removal(
            removed, served=len(stored.served), revision=tree.revision, confirm=asked.confirm
        )
        if removal and not tree.failed:
            report = await self._keep_current(tree, stored, held=removal)
        else:
            report = report_of(reading, stored, tree.revision)
            await self._store(reading, across, stored, tree, held)
        self._unfinished = None
        if tree.failed:
            raise tree.failed
        if await self.reports.is_due(stored.status, tree.revision, is_held=bool(report.held)):
            await self.reports.send(_verdict(tree, reading, across, report.held))
        late = self._source.is_shared and asked.expects not in {None, tree.revision}
        return replace(report, late=late and tree.revision == stored.status.revision)

    async def _load_stored(self) -> StoredCatalog:
        async with self._database.reading() as session:
            state = CatalogStateRepository(session)
            return StoredCatalog(
                files=await CatalogFilesRepository(session).all(),
                served=await CatalogRepository(session).served_files(),
                status=await state.status(),
                lineage=await state.lineage(),
                memory=await state.memory(),
            )

    async def _tree(self, asked: SyncInput, stored: StoredCatalog) -> SourceTree:
        """Ask the source; if it is unavailable and the rules have changed, use the stored files."""
        known = stored.known(self._source.name, asked)
        try:
            refuse_early_poll(stored, is_poll=asked.is_poll)
            with tracing.tracer().start_as_current_span("catalog.listing"):
                return SourceTree.of(await self._source.listing(known), stored)
        except SourceMovedError:
            raise
        except SourceUnavailableError as error:
            if not await self._has_other_rules(stored):
                raise
            return SourceTree.from_stored(stored, error)

    async def _has_other_rules(self, stored: StoredCatalog) -> bool:
        if stored.status.source != self._source.name:
            return False
        contents = FileContents(self._database, self._source, stored.status.revision or "")
        tree = SourceTree.from_stored(stored, SourceUnavailableError())
        now = await rules_identity(self._rules, self._check, await self._beside(tree, contents))
        return any(file.judged_by != now for file in stored.files.values())

    def _may_replace(self, tree: SourceTree, stored: StoredCatalog, *, force: bool) -> bool:
        if self._source.is_shared or tree.failed:
            return True
        revision = revision_of(tree.revision, tree.changed_at)
        changed_here = self._seen not in (None, revision.digest)
        if force or may_replace(stored.lineage, revision, changed_here=changed_here):
            return True
        self._seen = revision.digest
        return False

    async def _keep_current(
        self,
        tree: SourceTree,
        stored: StoredCatalog,
        *,
        held: HeldRevision | None = None,
        outdated: str | None = None,
    ) -> SyncReport:
        """Leave the catalog as it is, and report why; logged once."""
        before = stored.status
        if held and before.held_revision != held.revision:
            _log.warning("the catalog is not taken over: %s", held)
        if outdated and not before.outdated:
            _log.warning("the catalog is not read: %s", outdated)
        async with self._database.unit_of_work() as session:
            state = CatalogStateRepository(session)
            since = {"since": datetime.now(UTC).isoformat()}
            await state.record_not_adopted(
                held=asdict(held) | since if held else None, outdated=outdated
            )
            if held and before.held_revision != held.revision:
                await self.reports.enqueue(session, tree.revision)
        return SyncReport(held=held, outdated=outdated, revision=tree.revision)

    async def _read(
        self, tree: SourceTree, stored: StoredCatalog, contents: FileContents, *, resumable: bool
    ) -> tuple[CatalogReading, Sequence[Finding]]:
        beside = await self._beside(tree, contents)
        rules = await rules_identity(self._rules, self._check, beside)
        reading = CatalogReading(rules, tree.entries)
        if self._unfinished is not None:
            reading.adopt(self._unfinished)
        if resumable:
            self._unfinished = reading
        unchecked = reading.reuse(stored.files)
        try:
            await contents.fetch(readable_entries(unchecked))
        except FilesTooLongError as error:
            reading.mark_unreadable(error.blobs, error.why)
            unchecked = [reading.entries[entry.path] for entry in unchecked]
            await contents.fetch(readable_entries(unchecked))
        checker = DocumentChecker(self._known_actions, contents, check=self._check, beside=beside)
        with full_collections_postponed():
            for at in range(0, len(unchecked), _BATCH_SIZE):
                batch = unchecked[at : at + _BATCH_SIZE]
                texts = await contents.read(entry.blob for entry in batch)
                # All of them may take seconds, and would block the process.
                await asyncio.to_thread(checker.check, batch, texts, reading)
        across = await self._check_together(reading, stored, contents, checker)
        reading.select(stored.served, across)
        await contents.fetch([reading.entries[path] for path in reading.missing()])
        for path in reading.missing():
            await asyncio.to_thread(checker.load, path, reading)
        return reading, across

    async def _beside(self, tree: SourceTree, contents: FileContents) -> Mapping[str, bytes]:
        if self._check is None or not tree.beside:
            return {}
        await contents.fetch(tree.beside)
        found = await contents.read(entry.blob for entry in tree.beside)
        return {entry.path: found[entry.blob] for entry in tree.beside}

    async def _check_together(
        self,
        reading: CatalogReading,
        stored: StoredCatalog,
        contents: FileContents,
        checker: DocumentChecker,
    ) -> Sequence[Finding]:
        """Check the files that name each other together; the others need no such check."""
        if reading.is_unchanged(stored):
            known = (*stored.status.refused, *stored.status.ownership)
            return [finding_of(found) for found in known]
        wanted = {path: facts.id for path, facts in reading.linked().items()}
        wanted |= reading.invalidated_references(stored.served)
        reusable = {
            path: key
            for path, key in wanted.items()
            if reading.document(path) is None and is_stored(path, key, stored)
        }
        async with self._database.reading() as session:
            found = await CatalogRepository(session).definitions(reusable.values())
        definitions = {path: found[key] for path, key in reusable.items() if key in found}
        await contents.fetch(readable_entries(reading.entries[path] for path in wanted))
        return await asyncio.to_thread(checker.check_together, reading, wanted, definitions)

    async def _store(
        self,
        reading: CatalogReading,
        across: Sequence[Finding],
        stored: StoredCatalog,
        tree: SourceTree,
        held: HeldLease,
    ) -> None:
        lineage = stored.lineage
        if not self._source.is_shared and not tree.failed:
            lineage = next_lineage(lineage, revision_of(tree.revision, tree.changed_at))
        with tracing.tracer().start_as_current_span("catalog.store"):
            async with self._database.unit_of_work() as session:
                await held.check(session)
                await store(
                    session,
                    reading,
                    stored,
                    tree,
                    across=across,
                    lineage=lineage,
                    source=self._source.name,
                )
                if tree.revision != stored.status.revision:
                    await self.reports.enqueue(session, tree.revision)
        self._seen = tree.revision

    async def _fail(self, error: SourceUnavailableError) -> None:
        until = error.until if isinstance(error, SourceLimitedError) else None
        async with self._database.unit_of_work() as session:
            state = CatalogStateRepository(session)
            if (await state.status()).error != str(error):
                _log.warning("the catalog source cannot be read: %s", error)
            await state.record_failure(str(error), cause=error.cause, until=until)


def _verdict(
    tree: SourceTree, reading: CatalogReading, across: Sequence[Finding], held: HeldRevision | None
) -> Verdict:
    commit, reason = commit_of(tree.commit), str(held) if held else None
    return Verdict(tree.revision, reading.findings(across), len(tree.entries), commit, reason)
