"""The catalog in service: read from Postgres, kept in memory, the same in every process.

The worker brings Postgres up to date, by the workflow of the sync; no source is read here.
"""

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Self

from pydantic import ValidationError

from api.catalog.cache import CacheSettings, CatalogCache
from api.catalog.index import Index, Row, row_of
from api.catalog.schemas import CatalogForm, FormLayout
from catalog.document_kinds import parse_definition
from catalog.model import CatalogDocument
from catalog.sources.local import LoadedItem
from catalog.suggestions import did_you_mean
from db.repositories.audit import AuditEntry
from db.repositories.catalog import CatalogRepository, StoredItem
from db.repositories.catalog_state import CatalogStateRepository, StoredCatalogStatus
from db.session import Database
from pao.clients.catalog_sync import CatalogSyncs
from pao.clients.temporal import TemporalUnavailableError
from pao.core.errors import ErrorCode, PaoError
from pao.core.payloads.catalog import SyncReport, SyncRequest
from pao.runtime.background import BackgroundTask

_log = logging.getLogger(__name__)

Record = Callable[[AuditEntry], Awaitable[None]]

RETRY_SECONDS = 1.0
REFRESH_SECONDS = 20.0
MOST_COMPARED = 200


@dataclass(frozen=True, slots=True)
class ServedItem:
    """An item in service; ``stale`` when its file has become invalid since."""

    loaded: LoadedItem
    stale: bool = False


@dataclass(frozen=True, slots=True)
class CatalogState:
    """What is served and its state, replaced as a whole by a change."""

    index: Index = field(default_factory=Index)
    status: StoredCatalogStatus = field(default_factory=StoredCatalogStatus)

    @property
    def loaded_at(self) -> datetime | None:
        """When the source was read last; None when it never was."""
        return self.status.synced_at

    @property
    def refused_files(self) -> int:
        """How many files were refused then."""
        return len({finding["file"] for finding in self.status.refused})

    def age(self, now: datetime) -> float | None:
        """Return how many seconds ago the source was read."""
        return (now - self.loaded_at).total_seconds() if self.loaded_at else None


class CatalogService:
    """Serves items from memory, in front of Postgres; use it as an async context manager.

    ``mark_changed`` is to be called whenever Postgres says that the catalog has changed.
    """

    def __init__(
        self,
        database: Database,
        syncs: CatalogSyncs,
        *,
        record: Record,
        cache: CacheSettings | None = None,
        limits: Sequence[str] = (),
    ) -> None:
        self.limits = limits
        """Limitations of the kind of source, for operators."""
        self._database = database
        self._syncs = syncs
        self._record = record
        self._settings = cache or CacheSettings()
        self._cache = CatalogCache(self._settings.max_memory)
        self._changed = asyncio.Event()
        self._catching_up = asyncio.Lock()
        self.follower = BackgroundTask("catalog-changes", self._follow)
        self.state = CatalogState()
        self.refresh_timeout = REFRESH_SECONDS
        """How many seconds a caller waits for a refresh, which then continues without them."""

    async def __aenter__(self) -> Self:
        await self._begin()
        await self.follower.__aenter__()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.follower.__aexit__()

    def mark_changed(self) -> None:
        """Note that the catalog in Postgres may have changed."""
        self._changed.set()

    def row(self, item_id: str) -> Row:
        """Return what lists show of an item in service, or raise ``CATALOG_ITEM_NOT_FOUND``."""
        row = self.state.index.rows.get(item_id)
        if row is None or not row.is_requested:
            rows = self.state.index.rows
            raise _not_found(item_id, [name for name, one in rows.items() if one.is_requested])
        return row

    async def served_item(self, item_id: str) -> ServedItem:
        """Return an item in service, or raise ``CATALOG_ITEM_NOT_FOUND``."""
        self.row(item_id)
        return await self.document(item_id)

    async def document(self, item_id: str) -> ServedItem:
        """Return an item or a list in service, or raise ``CATALOG_ITEM_NOT_FOUND``."""
        row = self.state.index.rows.get(item_id)
        if row is None:
            raise _not_found(item_id)
        return await self._cache.get(
            ("item", item_id, row.generation),
            lambda: self._load(item_id),
            seconds=self._settings.items,
        )

    async def form(self, item_id: str) -> CatalogForm:
        """Return an item's form as it is displayed, and the equivalent JSON Schema."""
        row = self.row(item_id)
        return await self._cache.get(
            ("form", item_id, row.generation),
            lambda: self._load_form(item_id),
            seconds=self._settings.forms,
        )

    async def refresh_for(
        self, user_id: str, correlation_id: str, sync: SyncRequest | None = None
    ) -> SyncReport | None:
        """Read the source on behalf of a caller, and record the result in the audit trail.

        None means that it takes longer. Raises ``EXTERNAL_SERVICE_ERROR`` when the source cannot be
        read, ``SERVICE_UNAVAILABLE`` while Temporal is unavailable; failures are recorded as well.
        """
        sync = sync or SyncRequest()
        entry = AuditEntry(
            event_type="catalog.refreshed",
            actor=user_id,
            via="api",
            source_system="api",
            at=datetime.now(UTC),
            correlation_id=correlation_id,
            event_data={"forced": sync.force, "confirmed": sync.confirm},
        )
        try:
            report = await self.refresh(sync)
            _require_read(report)
        except PaoError as error:
            failed = {"error": {"code": error.code.value, "message": error.message}}
            data = entry.event_data | failed
            await self._record(replace(entry, event_type="catalog.refresh-failed", event_data=data))
            raise
        await self._record(replace(entry, event_data=entry.event_data | _audit_data(report)))
        return report

    async def refresh(self, sync: SyncRequest | None = None) -> SyncReport | None:
        """Make a worker read the source; return what changed, or None if it takes longer.

        This process serves it at once.
        """
        try:
            report = await self._syncs.refresh(sync or SyncRequest(), budget=self.refresh_timeout)
        except TemporalUnavailableError as error:
            raise PaoError(
                ErrorCode.SERVICE_UNAVAILABLE,
                "The catalog cannot be read now: Temporal does not respond. Try again in a moment.",
                headers={"Retry-After": "5"},
            ) from error
        await self.catch_up()
        return report

    async def catch_up(self, *, whole: bool = False) -> None:
        """Serve what Postgres holds now; reads what has changed since, or the ``whole`` list."""
        async with self._catching_up, self._database.reading() as session:
            repository = CatalogRepository(session)
            status = await CatalogStateRepository(session).status()
            index = Index() if whole else self.state.index
            if whole or status.generation != index.generation:
                index = await _updated_index(index, repository, status.generation)
            self.state = CatalogState(index, status)

    async def _begin(self) -> None:
        """Serve what Postgres holds; a worker reads the source, and notifies about changes."""
        try:
            await self.catch_up()
        except PaoError as error:
            _log.warning("the catalog is not up to date yet: %s", error)
        except Exception:  # noqa: BLE001 -- a process that does not start is of no use
            # The process starts, is not ready, and follows what comes.
            _log.exception("the catalog could not be loaded because of an internal error")

    async def _follow(self) -> None:
        """Catch up at every change, and every few seconds anyway: a notification may be lost.

        The whole list is read again when it has become old.
        """
        whole_at = time.monotonic() + self._settings.listing
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._settings.look):
                    await self._changed.wait()
            self._changed.clear()
            whole = time.monotonic() >= whole_at
            try:
                await self.catch_up(whole=whole)
                if whole:
                    whole_at = time.monotonic() + self._settings.listing
                self.follower.mark_healthy()
            except PaoError:
                # The database is unavailable: keep serving from memory until it is back.
                self._changed.set()
                await asyncio.sleep(RETRY_SECONDS)

    async def _load(self, item_id: str) -> tuple[ServedItem, int]:
        async with self._database.reading() as session:
            stored = await CatalogRepository(session).get(item_id)
        if stored is None:
            raise _not_found(item_id)
        return await asyncio.to_thread(_parse, stored)

    async def _load_form(self, item_id: str) -> tuple[CatalogForm, int]:
        served_item = await self.served_item(item_id)
        return await asyncio.to_thread(_build_form, served_item.loaded.item)


async def _updated_index(index: Index, repository: CatalogRepository, generation: int) -> Index:
    served_files = await repository.served_files()
    generations = {key: row.generation for key, row in index.rows.items()}
    new = [key for key, one in served_files.items() if generations.get(key) != one.generation]
    outlines = await repository.outlines(new) if new else []
    return index.updated(map(row_of, outlines), keep=served_files.keys(), generation=generation)


def _parse(stored: StoredItem) -> tuple[ServedItem, int]:
    try:
        item = parse_definition(stored.definition)
    except ValidationError as error:
        # During a deploy, processes of two versions share one catalog.
        raise PaoError(
            ErrorCode.SERVICE_UNAVAILABLE,
            f"This version of PAO cannot read the catalog item {stored.id!r}, which another version"
            " has stored. Try again once every process is upgraded.",
            headers={"Retry-After": "5"},
        ) from error
    loaded = LoadedItem(item, stored.definition, stored.file_path, stored.sha or "")
    return ServedItem(loaded, stored.stale), len(json.dumps(stored.definition))


def _build_form(item: CatalogDocument) -> tuple[CatalogForm, int]:
    form = CatalogForm(
        id=item.id,
        version=item.version,
        form=FormLayout.model_validate(item.form.ui_schema()),
        json_schema=item.form.json_schema(),
    )
    return form, len(form.model_dump_json())


def _require_read(report: SyncReport | None) -> None:
    if report and report.problem:
        raise PaoError(
            ErrorCode.EXTERNAL_SERVICE_ERROR,
            "The catalog source cannot be read; the last valid catalog stays in service:"
            f" {report.problem.removesuffix('.')}.",
        )


def _audit_data(report: SyncReport | None) -> dict[str, Any]:
    """Return what the audit trail keeps of what a refresh has found."""
    if report is None:
        return {"pending": True}
    return report.document() | {
        "judged": report.judged,
        "revision": report.revision,
        "outdated": report.outdated,
        "held": str(report.held) if report.held else None,
    }


def _not_found(item_id: str, ids: Collection[str] = ()) -> PaoError:
    # Comparing costs time. The beginning, usually the category, is rarely what is wrong.
    candidates = [one for one in ids if one[:2] == item_id[:2]] or list(ids)
    hint = did_you_mean(item_id, candidates[:MOST_COMPARED]) or "; GET /api/v1/catalog lists all."
    return PaoError(
        ErrorCode.CATALOG_ITEM_NOT_FOUND, f"There is no catalog item {item_id[:100]!r}{hint}"
    )
