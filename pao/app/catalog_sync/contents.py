"""Contents of catalog files: fetched from the source once, stored in Postgres, read from there."""

import asyncio
from collections.abc import Collection, Iterable, Mapping

from catalog.sources.files import is_content_of
from catalog.sources.source import CatalogSource, SourceEntry, SourceUnavailableError
from db.repositories.catalog_blobs import CatalogBlobsRepository
from db.session import Database
from pao.runtime import tracing

_BATCH_SIZE = 200


class FileContents:
    """The contents of the files of one revision, by blob id."""

    def __init__(self, database: Database, source: CatalogSource, revision: str) -> None:
        self._database = database
        self._source = source
        self._revision = revision
        self._loop = asyncio.get_running_loop()

    async def fetch(self, entries: Collection[SourceEntry]) -> None:
        """Ensure that these contents are in Postgres; missing ones are fetched from the source.

        What was fetched stays when the sync or the source fails halfway.
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
                await self._store(await asyncio.to_thread(_verify, error.found))
                raise
        await asyncio.to_thread(_check, missing, found)
        await self._store(found)

    async def _store(self, found: Mapping[str, bytes]) -> None:
        for batch in _batches(list(found.items())):
            async with self._database.unit_of_work() as session:
                await CatalogBlobsRepository(session).store(dict(batch))

    async def read(self, blobs: Iterable[str]) -> Mapping[str, bytes]:
        """Return contents that are in Postgres."""
        async with self._database.reading() as session:
            return await CatalogBlobsRepository(session).read(set(blobs))

    def read_one(self, blob: str) -> bytes:
        """Return one content, from another thread; raises ``KeyError`` if it is not stored."""
        found = asyncio.run_coroutine_threadsafe(self.read([blob]), self._loop).result()
        return found[blob]


class ProposalContents(FileContents):
    """Contents of a proposal: what is fetched for it stays in memory."""

    def __init__(self, database: Database, source: CatalogSource, revision: str) -> None:
        super().__init__(database, source, revision)
        self._fetched: dict[str, bytes] = {}

    async def fetch(self, entries: Collection[SourceEntry]) -> None:
        """Ensure that these contents are in memory or in Postgres."""
        await super().fetch([entry for entry in entries if entry.blob not in self._fetched])

    async def read(self, blobs: Iterable[str]) -> Mapping[str, bytes]:
        """Return contents that are in memory or in Postgres."""
        wanted = set(blobs)
        here = {blob: self._fetched[blob] for blob in wanted & self._fetched.keys()}
        return {**await super().read(wanted - here.keys()), **here}

    async def _store(self, found: Mapping[str, bytes]) -> None:
        self._fetched.update(found)


def _check(wanted: Collection[SourceEntry], found: Mapping[str, bytes]) -> None:
    """Raise if a source left out or mixed up a content: it would be served as another version."""
    for entry in wanted:
        content = found.get(entry.blob)
        if content is None:
            raise SourceUnavailableError(f"the source did not return {entry.path}")
        if not is_content_of(content, entry.blob):
            raise SourceUnavailableError(
                f"the source returned other content for {entry.path} than it had listed"
            )


def _verify(found: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the contents that match their listing; others do not hide the source's error."""
    return {blob: content for blob, content in found.items() if is_content_of(content, blob)}


def _batches(
    contents: list[tuple[str, bytes]],
) -> Iterable[list[tuple[str, bytes]]]:
    return (contents[at : at + _BATCH_SIZE] for at in range(0, len(contents), _BATCH_SIZE))
