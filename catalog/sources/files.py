"""Files of a folder: which are documents, and reading one in bounded memory. No meaning here."""

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from catalog.loading import MAX_BYTES, DocumentError

SUFFIXES = frozenset({".yaml", ".yml"})
# A folder that is named so holds sample inputs of the item beside it, no documents.
TESTS_SUFFIX = ".tests"
_MAX_FOLDERS = 8
_SHA1_DIGITS = 40


def catalog_root(path: Path) -> Path:
    """Return the folder that holds the documents: the one given, or the ``catalog/`` in it.

    Raises ``FileNotFoundError`` where there is no such folder.
    """
    root = real(path)
    if not root.is_dir():
        raise FileNotFoundError(f"{path} is not a folder; name the folder that holds the catalog")
    inner = root / "catalog"
    return inner if inner.is_dir() and not inner.is_symlink() else root


def documents(root: Path) -> Iterator[Path]:
    """Yield the YAML files in the order of their names; hidden ones and those outside are not.

    Raises ``OSError``: a folder that cannot be read is not an empty one.
    """
    for folder, folders, files in os.walk(root, onerror=_fail):
        here = Path(folder)
        deep = len(here.relative_to(root).parts) >= _MAX_FOLDERS
        folders[:] = [] if deep else sorted(name for name in folders if holds_documents(name))
        for name in sorted(files):
            file = here / name
            if file.suffix in SUFFIXES and not name.startswith(".") and is_inside(file, root):
                yield file


def is_document(path: str) -> bool:
    """Return whether a path within the folder is that of a document, as ``documents`` sees it."""
    *folders, name = path.split("/")
    return (
        len(folders) <= _MAX_FOLDERS
        and all(map(holds_documents, folders))
        and PurePosixPath(name).suffix in SUFFIXES
        and not name.startswith(".")
    )


def read_document(file: Path, name: str) -> bytes:
    """Read a file, at most one byte more than a document may have; raises ``DocumentError``."""
    try:
        # A pipe or device would keep the reader waiting for ever.
        if not stat.S_ISREG(file.stat().st_mode):
            raise DocumentError(name, 1, 1, "this is not a regular file")
        with file.open("rb") as stream:
            # One byte more than is allowed, so that the limit is noticed and memory stays bounded.
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        reason = error.strerror or "unknown reason"
        raise DocumentError(name, 1, 1, f"the file cannot be read: {reason}") from None


def blob_id(content: bytes) -> str:
    """Return Git's id of this content (``git hash-object``): 40 hexadecimal digits."""
    header = f"blob {len(content)}\0".encode()
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()


def is_content_of(content: bytes, blob: str) -> bool:
    """Return whether Git gives this content this id, by SHA-1 or SHA-256."""
    if len(blob) == _SHA1_DIGITS:
        return blob_id(content) == blob
    header = f"blob {len(content)}\0".encode()
    return hashlib.sha256(header + content).hexdigest() == blob


def holds_documents(folder: str) -> bool:
    """Return whether a folder of this name may hold documents: not hidden, and not of cases."""
    return not folder.startswith(".") and not folder.endswith(TESTS_SUFFIX)


def is_inside(file: Path, root: Path) -> bool:
    """Return whether a file is below the folder itself; a link leads wherever it leads."""
    return not file.is_symlink() or real(file).is_relative_to(root)


def real(path: Path) -> Path:
    """Return where a path leads through links; never raises, as for links that lead in a circle."""
    return Path(os.path.realpath(path))


def _fail(error: OSError) -> None:
    raise error
