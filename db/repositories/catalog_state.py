"""The one row with the state of the catalog: what is served, and the result of the last look."""

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.models import CatalogStateRow

CHANNEL = "pao_catalog"
"""The channel on which each committed change of the catalog is announced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCatalogStatus:
    """The state of the catalog: when its source was read last, and what was refused then.

    ``generation`` numbers the changes. ``revision`` and ``commit`` are what is served; ``asked_at``
    is the last attempt. ``error`` says why the source cannot be read and ``error_since`` since
    when; before ``error_until`` it answers nobody. ``held`` is a revision that is held back,
    ``outdated`` says why a copy was not adopted, ``notice`` what an operator should fix;
    ``ownership`` are the findings about code owners that refuse nothing. ``untold`` says by commit
    why its authors were not notified on the forge; ``CatalogUnreportedRepository`` changes it.
    """

    generation: int = 0
    source: str | None = None
    revision: str | None = None
    commit: dict[str, Any] | None = None
    synced_at: datetime | None = None
    asked_at: datetime | None = None
    error: str | None = None
    error_cause: str | None = None
    error_since: datetime | None = None
    error_until: datetime | None = None
    held: dict[str, Any] | None = None
    outdated: str | None = None
    notice: str | None = None
    refused: list[dict[str, Any]] = field(default_factory=list)
    ownership: list[dict[str, Any]] = field(default_factory=list)
    untold: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def unreported(self) -> dict[str, dict[str, Any]]:
        """The commits whose authors could not be notified, without those in progress."""
        return {commit: about for commit, about in self.untold.items() if about.get("message")}

    @property
    def held_revision(self) -> str | None:
        """The revision that is held back."""
        return self.held.get("revision") if self.held else None


@dataclass(frozen=True, slots=True)
class SourceMemory:
    """What is kept between two looks at the source, and the files beside the catalog."""

    memory: dict[str, Any] = field(default_factory=dict)
    beside: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Lineage:
    """What the folder in service holds, when it was changed, and what was served before it.

    ``superseded`` holds digests, the newest first.
    """

    digest: str | None = None
    changed_at: datetime | None = None
    superseded: tuple[str, ...] = ()


class CatalogStateRepository:
    """Reads and writes the state of the catalog; every change notifies all processes."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def status(self) -> StoredCatalogStatus:
        """Return the state of the catalog."""
        names = list(StoredCatalogStatus.__slots__)
        row = (await self._session.execute(select(*_columns(names)))).one()
        return StoredCatalogStatus(**dict(zip(names, row, strict=True)))

    async def memory(self) -> SourceMemory:
        """Return what was kept when the catalog in service was read."""
        row = (await self._session.execute(select(*_columns(["memory", "beside"])))).one()
        return SourceMemory(*row)

    async def lineage(self) -> Lineage:
        """Return which revision is in service, and which ones were before."""
        row = (await self._session.scalars(select(CatalogStateRow))).one()
        return Lineage(row.digest, row.changed_at, tuple(row.superseded))

    async def store(
        self,
        status: StoredCatalogStatus,
        *,
        lineage: Lineage | None = None,
        memory: SourceMemory | None = None,
    ) -> None:
        """Store the state of the catalog, with whatever else is given; ``untold`` stays."""
        values = asdict(status)
        del values["untold"]
        if lineage:
            values |= asdict(lineage) | {"superseded": list(lineage.superseded)}
        if memory:
            values |= asdict(memory)
        await self._write(values, payload=str(status.generation))

    async def record_failure(
        self, error: str, *, cause: str, until: datetime | None = None
    ) -> None:
        """Record that the source cannot be read; the catalog itself stays as it is."""
        now = datetime.now(UTC)
        since = func.coalesce(CatalogStateRow.error_since, now)
        values = {"error": error, "error_cause": cause, "error_since": since, "asked_at": now}
        await self._write(values | {"error_until": until})

    async def record_not_adopted(
        self, *, held: dict[str, Any] | None, outdated: str | None
    ) -> None:
        """Record that the source was read and its revision is not adopted."""
        values = dict.fromkeys(("error", "error_cause", "error_since", "error_until"))
        values |= {"asked_at": datetime.now(UTC), "held": held, "outdated": outdated}
        await self._write(values)

    async def _write(self, values: dict[str, Any], *, payload: str = "") -> None:
        await self._session.execute(update(CatalogStateRow).values(values))
        await self._session.execute(select(func.pg_notify(CHANNEL, payload)))


def _columns(names: list[str]) -> list[Any]:
    return [col(getattr(CatalogStateRow, name)) for name in names]
