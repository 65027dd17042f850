"""Contents of files: fetched one by one or found in an archive, and checked by their ids."""

import asyncio
import io
import tarfile
import zlib
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping

from catalog.loading import MAX_BYTES
from catalog.sources.files import is_content_of
from catalog.sources.source import FilesTooLongError, SourceEntry, SourceUnavailableError

# An archive may unpack to a thousand times its length.
_MAX_UNPACKED = 1024 * 1024 * 1024
MAX_SINGLE = 50
MAX_UNLISTED = 10 * 1024 * 1024
"""The longest file that is read if a listing has no lengths; one that is too long for a document is
a finding, too."""
_CONCURRENCY = 5


def listing_entry(path: str, blob: str, mode: str, size: int | None) -> SourceEntry:
    """Return an entry of a listing; a file that is longer than a document is never fetched."""
    too_long_error = size is not None and size > MAX_BYTES
    problem = (
        f"the file has {size:,} bytes; at most {MAX_BYTES:,} are read" if too_long_error else None
    )
    return SourceEntry(path, blob, mode, size, problem)


def too_long_error(blobs: Collection[str]) -> FilesTooLongError:
    """Return the error for files whose listing had no lengths and that are too long."""
    most = f"{MAX_UNLISTED // 1024**2} MB"
    return FilesTooLongError(blobs, f"the file is longer than {most}; at most 1 MB is read")


async def fetch_singly(
    blobs: Collection[str],
    fetch: Callable[[str], Awaitable[bytes | None]],
    found: Mapping[str, bytes],
) -> dict[str, bytes]:
    """Return contents; those that are not in ``found`` are fetched one by one, a few at a time.

    One that ``fetch`` returns None for is left out. The first failure ends it; what was found by
    then is in the ``SourceUnavailableError``: a limit of calls may be lower than the number of
    files.
    """
    gate = asyncio.Semaphore(_CONCURRENCY)

    async def one(blob: str) -> tuple[str, bytes | None]:
        async with gate:
            return blob, await fetch(blob)

    tasks = [asyncio.ensure_future(one(blob)) for blob in sorted(set(blobs) - found.keys())]
    try:
        return {**found, **_without_missing(await asyncio.gather(*tasks))}
    except SourceUnavailableError as error:
        done = [task for task in tasks if task.done() and not task.cancelled()]
        whole = _without_missing(task.result() for task in done if task.exception() is None)
        error.found = {**found, **whole}
        raise
    finally:
        for task in tasks:
            task.cancel()


def _without_missing(fetched: Iterable[tuple[str, bytes | None]]) -> dict[str, bytes]:
    return {blob: content for blob, content in fetched if content is not None}


def paths_by_blob(entries: Collection[SourceEntry], folder: str) -> dict[str, set[str]]:
    """Return the paths where contents may be in the repository, by blob id.

    An entry is in the folder of the catalog or beside it, and its path does not say which: both
    are possible, and the id decides.
    """
    found: dict[str, set[str]] = {}
    for entry in entries:
        places = found.setdefault(entry.blob, set())
        places |= {entry.path, f"{folder}/{entry.path}" if folder else entry.path}
    return found


def unpack(archive: bytes, wanted: Mapping[str, set[str]]) -> dict[str, bytes]:
    """Return the wanted contents that an archive holds, by blob id; blocks.

    Git's attributes may have changed or left out a file: what does not match is left out. Raises
    ``SourceUnavailableError`` if the archive cannot be read.
    """
    blobs: dict[str, set[str]] = {}
    for blob, paths in wanted.items():
        for path in paths:
            blobs.setdefault(path, set()).add(blob)
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=_LimitedGzip(archive), mode="r|") as members:
            for path, content in _files(members, blobs.keys()):
                found |= {blob: content for blob in blobs[path] if is_content_of(content, blob)}
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise SourceUnavailableError("the archive of the repository cannot be read") from error
    return found


def _files(members: tarfile.TarFile, wanted: Collection[str]) -> Iterator[tuple[str, bytes]]:
    for member in members:
        # Everything is below one folder, which is named after the commit.
        path = member.name.partition("/")[2]
        if not member.isreg() or member.size > MAX_UNLISTED or path not in wanted:
            continue
        reader = members.extractfile(member)
        if reader is not None:
            yield path, reader.read()


class _LimitedGzip(io.RawIOBase):
    """A gzip stream that raises if it unpacks to too much."""

    def __init__(self, packed: bytes) -> None:
        self._packed = io.BytesIO(packed)
        self._unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
        self._left = _MAX_UNPACKED

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        chunk = bytearray()
        while len(chunk) < size:
            pending = self._unpacker.unconsumed_tail or self._packed.read(65536)
            if not pending:
                break
            chunk += self._unpacker.decompress(pending, size - len(chunk))
        self._left -= len(chunk)
        if self._left < 0:
            raise EOFError
        return bytes(chunk)
