"""The catalog in service: loaded from its source, kept in memory, the last good one stays."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from catalog.sources.local import LoadedCatalog, LoadedItem
from catalog.validation import Finding
from db.repositories.audit import AuditEntry
from pao.core.errors import ErrorCode, PaoError

_log = logging.getLogger(__name__)

Source = Callable[[], LoadedCatalog]
Record = Callable[[AuditEntry], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Entry:
    """An item in service; ``stale`` when its file has gone bad since."""

    loaded: LoadedItem
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Refresh:
    """What a reload changed, by item id, and the files that were refused."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    """Everything that is served, replaced as a whole by a reload."""

    entries: dict[str, Entry] = field(default_factory=dict)
    refused: tuple[Finding, ...] = ()
    loaded_at: datetime | None = None
    error: str | None = None


class CatalogService:
    """Serves items from memory; a reload that fails leaves the last good catalog in service."""

    def __init__(self, source: Source, record: Record) -> None:
        self._source = source
        self._record = record
        self._reloading = asyncio.Lock()
        self.state = State()

    def entry(self, item_id: str) -> Entry:
        """Give an item in service, or raise ``CATALOG_ITEM_NOT_FOUND``."""
        entry = self.state.entries.get(item_id)
        if entry is None:
            raise PaoError(
                ErrorCode.CATALOG_ITEM_NOT_FOUND,
                f"There is no catalog item {item_id[:100]!r}; GET /api/v1/catalog lists all.",
            )
        return entry

    def entries(self) -> list[Entry]:
        """Give every item in service, by id."""
        return [self.state.entries[key] for key in sorted(self.state.entries)]

    def owners(self) -> frozenset[str]:
        """Give the teams that own something in the catalog."""
        teams = (entry.loaded.item.owner_team for entry in self.state.entries.values())
        return frozenset(team for team in teams if team)

    async def refresh_for(self, user_id: str, correlation_id: str) -> Refresh:
        """Load the source again on somebody's word, which the audit trail keeps."""
        changes = await self.refresh()
        await self._record(
            AuditEntry(
                event_type="catalog.refreshed",
                actor=user_id,
                via="api",
                source_system="api",
                at=datetime.now(UTC),
                correlation_id=correlation_id,
                event_data=asdict(changes),
            )
        )
        return changes

    async def refresh(self) -> Refresh:
        """Load the source again; answers what changed."""
        async with self._reloading:
            try:
                loaded = await asyncio.to_thread(self._source)
            except OSError as error:
                _log.warning("the catalog source cannot be read", exc_info=error)
                self.state = replace(self.state, error="the catalog source cannot be read")
                raise PaoError(
                    ErrorCode.EXTERNAL_SERVICE_ERROR,
                    "The catalog source cannot be read; the last good catalog stays in service.",
                ) from error
            before = self.state
            self.state = _merge(before, loaded)
        for finding in loaded.refused:
            _log.warning("catalog file refused: %s", finding)
        return _difference(before, self.state)


def _merge(before: State, loaded: LoadedCatalog) -> State:
    entries = {key: Entry(item) for key, item in loaded.items.items()}
    bad_files = {finding.file for finding in loaded.refused}
    for key, entry in before.entries.items():
        if key not in entries and entry.loaded.file_path in bad_files:
            entries[key] = replace(entry, stale=True)
    return State(entries=entries, refused=tuple(loaded.refused), loaded_at=datetime.now(UTC))


def _difference(before: State, after: State) -> Refresh:
    old, new = before.entries, after.entries
    return Refresh(
        added=tuple(sorted(new.keys() - old.keys())),
        changed=tuple(
            sorted(
                key for key in new.keys() & old.keys() if new[key].loaded.sha != old[key].loaded.sha
            )
        ),
        removed=tuple(sorted(old.keys() - new.keys())),
        refused=tuple(sorted({finding.file for finding in after.refused})),
    )


def summary(entry: Entry, *, requestable: bool) -> dict[str, Any]:
    """Give an item as the list of the catalog shows it."""
    item = entry.loaded.item
    return {
        "id": item.id,
        "kind": item.kind,
        "name": item.name,
        "description": item.description,
        "version": item.version,
        "category": item.category,
        "owner": item.owner_team,
        "tags": list(item.tags),
        "requestable": requestable,
        "deprecated": item.deprecation.deprecated,
        "stale": entry.stale,
    }
