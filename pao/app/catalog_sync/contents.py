"""Contents of catalog files: fetched from the source once, kept in Postgres, read from there."""

import asyncio
from collections.abc import Collection, Iterable, Mapping

from catalog.sources.files import is_content_of
from catalog.sources.source import Entry, Source, SourceUnavailableError
from db.repositories.catalog_blobs import CatalogBlobsRepository
from db.session import Database
from pao.runtime import tracing

_AT_ONCE = 200


class Contents:
    """What the files of one revision say, by blob id."""

    def __init__(self, database: Database, source: Source, revision: str) -> None:
        self._database = database
        self._source = source
        self._revision = revision
        self._loop = asyncio.get_running_loop()

    async def fetch(self, entries: Collection[Entry]) -> None:
        """Have these contents in Postgres; the source is asked for what is not there yet.

        What was fetched stays when the sync does not come to its end, or the source to its own.
        Raises ``SourceUnavailableError``.
        """
        by_blob = {entry.blob: entry for entry in entries}
        async with self._database.reading() as session:
            known = await CatalogBlobsRepository(session).stored_ids(by_blob.keys())
        missing = [entry for blob, entry in by_blob.items() if blob not in known]
        if not missing:
            return
        with tracing.tracer().start_as_current_span("catalog.contents") as span:
            span.set_attribute("pao.files", len(missing))
            try:
                found = await self._source.contents(self._revision, missing)
            except SourceUnavailableError as error:
                await self._keep(await asyncio.to_thread(_genuine, error.found))
                raise
        await asyncio.to_thread(_check, missing, found)
        await self._keep(found)

    async def _keep(self, found: Mapping[str, bytes]) -> None:
        for some in _batches(list(found.items())):
            async with self._database.unit_of_work() as session:
                await CatalogBlobsRepository(session).store(dict(some))

    async def read(self, blobs: Iterable[str]) -> Mapping[str, bytes]:
        """Return contents that are in Postgres."""
        async with self._database.reading() as session:
            return await CatalogBlobsRepository(session).read(set(blobs))

    def read_one(self, blob: str) -> bytes:
        """Return one content, from another thread; raises ``KeyError`` where it is not kept."""
        found = asyncio.run_coroutine_threadsafe(self.read([blob]), self._loop).result()
        return found[blob]


class PassingContents(Contents):
    """Contents of a proposal: what is fetched for it stays in memory."""

    def __init__(self, database: Database, source: Source, revision: str) -> None:
        super().__init__(database, source, revision)
        self._fetched: dict[str, bytes] = {}

    async def fetch(self, entries: Collection[Entry]) -> None:
        """Have these contents here or in Postgres."""
        await super().fetch([entry for entry in entries if entry.blob not in self._fetched])

    async def read(self, blobs: Iterable[str]) -> Mapping[str, bytes]:
        """Return contents that are here or in Postgres."""
        wanted = set(blobs)
        here = {blob: self._fetched[blob] for blob in wanted & self._fetched.keys()}
        return {**await super().read(wanted - here.keys()), **here}

    async def _keep(self, found: Mapping[str, bytes]) -> None:
        self._fetched.update(found)


def _check(wanted: Collection[Entry], found: Mapping[str, bytes]) -> None:
    """Refuse what a source has left out or mixed up: it would be served as another version."""
    for entry in wanted:
        content = found.get(entry.blob)
        if content is None:
            raise SourceUnavailableError(f"the source did not return {entry.path}")
        if not is_content_of(content, entry.blob):
            raise SourceUnavailableError(
                f"the source returned other content for {entry.path} than it had listed"
            )


def _genuine(found: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return what is as it was listed; why the source has failed counts for more than the rest."""
    return {blob: content for blob, content in found.items() if is_content_of(content, blob)}


def _batches(
    contents: list[tuple[str, bytes]],
) -> Iterable[list[tuple[str, bytes]]]:
    return (contents[at : at + _AT_ONCE] for at in range(0, len(contents), _AT_ONCE))
