"""What a source of catalog documents offers, wherever it is. No file system, no HTTP here."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol


class SourceUnavailableError(Exception):
    """The source cannot be read now; the message says why, without an address or a path."""


class Source(Protocol):
    """A set of YAML files with their content ids; both calls may block and run in a thread."""

    @property
    def name(self) -> str:
        """What operators call it: ``local folder``, ``GitHub org/repository``."""
        ...

    @property
    def revision(self) -> str | None:
        """The commit that the last listing showed, where there is one."""
        ...

    @property
    def changed_at(self) -> datetime | None:
        """When the listed files were last changed, if known."""
        ...

    def listing(self) -> Mapping[str, str]:
        """Return every document's path with the id that Git assigns to its content.

        Raises ``SourceUnavailableError``.
        """
        ...

    def content(self, path: str) -> bytes:
        """Return one document; raises ``DocumentError`` where it alone cannot be read."""
        ...
