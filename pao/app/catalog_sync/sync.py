"""Brings the catalog in Postgres up to date with its source: one writer, changes only.

The worker does it, when the workflow of the sync says so. Reading starts from what was known: a
source that has nothing new costs one question, and a file is judged once, until it, the rules or
what lies beside it changes.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime

from catalog.sources.companion_checks import CompanionCheck
from catalog.sources.source import (
    Entry,
    FilesTooLongError,
    Known,
    Listing,
    PollSkippedError,
    Source,
    SourceLimitedError,
    SourceMovedError,
    SourceUnavailableError,
    Unchanged,
)
from catalog.sources.verdict import Reporter, Verdict
from catalog.validation import ActionSchema, Finding
from catalog.validation.rules_digest import rules_digest
from db.leases import HeldLease, lease
from db.repositories.catalog import LEASE, CatalogRepository
from db.repositories.catalog_files import CatalogFilesRepository
from db.repositories.catalog_state import CatalogStateRepository
from db.session import Database
from pao.app.catalog_sync.author_reports import AuthorReports
from pao.app.catalog_sync.contents import Contents, PassingContents
from pao.app.catalog_sync.judge import Judge, identity
from pao.app.catalog_sync.mass_removal import held_back
from pao.app.catalog_sync.order import OUTDATED, after, revision_of, takes
from pao.app.catalog_sync.reading import Reading, finding_of
from pao.app.catalog_sync.source_tree import (
    SourceTree,
    Stored,
    commit_of,
    problem_of,
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
# How often a source is listed anew that changes while it is read.
MOST_LISTINGS = 3
_JUDGED_AT_ONCE = 100
EMPTY = "the source holds no document at all any more"
ANYTHING = SyncInput()


class CatalogSync:
    """Reads a source and stores what it says; any number of processes may try at once."""

    def __init__(
        self,
        database: Database,
        source: Source,
        known_actions: Mapping[str, ActionSchema],
        *,
        check: CompanionCheck | None = None,
        reporter: Reporter | None = None,
    ) -> None:
        self._database = database
        self._source = source
        self._known_actions = known_actions
        self._check = check
        self.reports = AuthorReports(database, reporter)
        self._rules = rules_digest(known_actions)
        self._seen: str | None = None
        # A sync that failed is tried again at once; judging is the longest part of a large one.
        self._unfinished: Reading | None = None

    async def run(self, asked: SyncInput = ANYTHING) -> SyncReport:
        """Bring the catalog up to date; return what has changed.

        A copy that is not newer than what is served changes nothing, unless it is forced; neither
        does a revision that is held back, unless it is confirmed. A poll that is skipped leaves
        everything as it was. Raises ``SourceUnavailableError``: the catalog stays as it is, and the
        reason is stored.
        """
        async with lease(self._database, LEASE, seconds=LOCK_SECONDS) as held:
            for left in reversed(range(MOST_LISTINGS)):
                try:
                    report = await self._once(asked, held)
                    break
                except PollSkippedError as skipped:
                    _log.info("a poll of the catalog is skipped: %s", skipped)
                    return SyncReport(skipped=str(skipped))
                except SourceMovedError as error:
                    if left:
                        continue
                    await self._fail(error)
                    raise
                except SourceUnavailableError as error:
                    await self._fail(error)
                    raise
        if report.judged or report.removed:
            _log.info("catalog brought up to date: %s", report.summary())
        return report

    async def known(self) -> Known:
        """Return what is known of the source, for whoever asks it about something else."""
        return (await self._stored()).known(self._source.name, ANYTHING)

    async def judged(self, found: Listing | Unchanged, *, fork: Listing | None = None) -> Verdict:
        """Return what would be found if a listing were taken over; nothing is stored.

        With ``fork``, where it has left the branch: what would be found once it was merged.
        """
        stored = await self._stored()
        tree = SourceTree.of(found, stored)
        if fork is not None:
            tree = tree.merged(SourceTree.of(fork, stored), stored)
        contents = PassingContents(self._database, self._source, tree.revision)
        reading, across = await self._read(tree, stored, contents, keeps=False)
        held = held_back(
            reading.selection.removed,
            served=len(stored.served),
            revision=tree.revision,
            confirm=None,
        )
        verdict = _verdict(tree, reading, across, held)
        return replace(verdict, emptied=bool(stored.served and not tree.entries))

    def calls(self) -> SourceCalls | None:
        """Return how often the source was called, for metrics; None where it is a folder."""
        usage = self._source.usage()
        if usage is None:
            return None
        return SourceCalls(self._source.name, usage.calls, usage.remaining, usage.limit)

    async def close(self) -> None:
        """Close the connections of the source."""
        await self._source.close()

    async def _once(self, asked: SyncInput, held: HeldLease) -> SyncReport:
        stored = await self._stored()
        tree = await self._tree(asked, stored)
        if stored.served and not tree.entries:
            # Far more often a volume that is not mounted than a catalog that was given up.
            raise SourceUnavailableError(EMPTY)
        if not self._takes(tree, stored, force=asked.force):
            return await self._leave(tree, stored, outdated=OUTDATED)
        contents = Contents(self._database, self._source, tree.revision)
        with tracing.tracer().start_as_current_span("catalog.judge") as span:
            reading, across = await self._read(tree, stored, contents, keeps=True)
            span.set_attribute("pao.files", len(reading.judged))
        removed = reading.selection.removed
        too_much = held_back(
            removed, served=len(stored.served), revision=tree.revision, confirm=asked.confirm
        )
        if too_much and not tree.failed:
            report = await self._leave(tree, stored, held=too_much)
        else:
            report = report_of(reading, stored, tree.revision)
            await self._store(reading, across, stored, tree, held)
        self._unfinished = None
        if tree.failed:
            raise tree.failed
        if await self.reports.is_due(stored.standing, tree.revision, is_held=bool(report.held)):
            await self.reports.send(_verdict(tree, reading, across, report.held))
        late = self._source.is_shared and asked.expects not in {None, tree.revision}
        return replace(report, late=late and tree.revision == stored.standing.revision)

    async def _stored(self) -> Stored:
        async with self._database.reading() as session:
            state = CatalogStateRepository(session)
            return Stored(
                files=await CatalogFilesRepository(session).all(),
                served=await CatalogRepository(session).served_files(),
                standing=await state.status(),
                lineage=await state.lineage(),
                memory=await state.memory(),
            )

    async def _tree(self, asked: SyncInput, stored: Stored) -> SourceTree:
        """Ask the source; where it is away, what is known is judged by the rules of today."""
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
            return SourceTree.again(stored, error)

    async def _has_other_rules(self, stored: Stored) -> bool:
        if stored.standing.source != self._source.name:
            return False
        contents = Contents(self._database, self._source, stored.standing.revision or "")
        tree = SourceTree.again(stored, SourceUnavailableError())
        now = await identity(self._rules, self._check, await self._beside(tree, contents))
        return any(file.judged_by != now for file in stored.files.values())

    def _takes(self, tree: SourceTree, stored: Stored, *, force: bool) -> bool:
        if self._source.is_shared or tree.failed:
            return True
        revision = revision_of(tree.revision, tree.changed_at)
        changed_here = self._seen not in (None, revision.digest)
        if force or takes(stored.lineage, revision, changed_here=changed_here):
            return True
        self._seen = revision.digest
        return False

    async def _leave(
        self,
        tree: SourceTree,
        stored: Stored,
        *,
        held: HeldRevision | None = None,
        outdated: str | None = None,
    ) -> SyncReport:
        """Leave the catalog as it is, and say why; the log says it once."""
        before = stored.standing
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
        self, tree: SourceTree, stored: Stored, contents: Contents, *, keeps: bool
    ) -> tuple[Reading, Sequence[Finding]]:
        beside = await self._beside(tree, contents)
        reading = Reading(await identity(self._rules, self._check, beside), tree.entries)
        if self._unfinished is not None:
            reading.adopt(self._unfinished)
        if keeps:
            self._unfinished = reading
        fresh = reading.keep(stored.files)
        try:
            await contents.fetch(_readable(fresh))
        except FilesTooLongError as error:
            reading.give_up(error.blobs, error.why)
            fresh = [reading.entries[entry.path] for entry in fresh]
            await contents.fetch(_readable(fresh))
        judge = Judge(self._known_actions, contents, check=self._check, beside=beside)
        with full_collections_postponed():
            for at in range(0, len(fresh), _JUDGED_AT_ONCE):
                some = fresh[at : at + _JUDGED_AT_ONCE]
                texts = await contents.read(entry.blob for entry in some)
                # All of them may take seconds, and the process has more to do.
                await asyncio.to_thread(judge.judge, some, texts, reading)
        across = await self._across(reading, stored, contents, judge)
        reading.select(stored.served, across)
        await contents.fetch([reading.entries[path] for path in reading.missing()])
        for path in reading.missing():
            await asyncio.to_thread(judge.load, path, reading)
        return reading, across

    async def _beside(self, tree: SourceTree, contents: Contents) -> Mapping[str, bytes]:
        if self._check is None or not tree.beside:
            return {}
        await contents.fetch(tree.beside)
        found = await contents.read(entry.blob for entry in tree.beside)
        return {entry.path: found[entry.blob] for entry in tree.beside}

    async def _across(
        self, reading: Reading, stored: Stored, contents: Contents, judge: Judge
    ) -> Sequence[Finding]:
        """Check together the files that name each other; of the others none can be wrong."""
        if reading.is_as_known(stored):
            known = (*stored.standing.refused, *stored.standing.ownership)
            return [finding_of(found) for found in known]
        wanted = {path: facts.id for path, facts in reading.linked().items()}
        wanted |= reading.fallen(stored.served)
        kept = {
            path: key
            for path, key in wanted.items()
            if reading.document(path) is None and is_stored(path, key, stored)
        }
        async with self._database.reading() as session:
            found = await CatalogRepository(session).definitions(kept.values())
        definitions = {path: found[key] for path, key in kept.items() if key in found}
        await contents.fetch(_readable(reading.entries[path] for path in wanted))
        return await asyncio.to_thread(judge.across, reading, wanted, definitions)

    async def _store(
        self,
        reading: Reading,
        across: Sequence[Finding],
        stored: Stored,
        tree: SourceTree,
        held: HeldLease,
    ) -> None:
        lineage = stored.lineage
        if not self._source.is_shared and not tree.failed:
            lineage = after(lineage, revision_of(tree.revision, tree.changed_at))
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
                if tree.revision != stored.standing.revision:
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
    tree: SourceTree, reading: Reading, across: Sequence[Finding], held: HeldRevision | None
) -> Verdict:
    return Verdict(
        tree.revision,
        reading.findings(across),
        len(tree.entries),
        commit_of(tree.commit),
        str(held) if held else None,
    )


def _readable(entries: Iterable[Entry]) -> list[Entry]:
    return [entry for entry in entries if not problem_of(entry)]
