"""Finds the CODEOWNERS file of a tree; an unchanged folder costs no call."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from catalog.ownership import LOCATIONS, CodeOwnersDialect
from catalog.sources.source import SourceEntry


class TreeEntry(Protocol):
    """An entry of a directory: its type is blob, tree or commit (a submodule)."""

    @property
    def type(self) -> str:
        """What it is."""
        ...

    @property
    def sha(self) -> str:
        """Git's id of it."""
        ...

    @property
    def mode(self) -> str:
        """Git's mode."""
        ...


Directory = Mapping[str, TreeEntry]


@dataclass(frozen=True, slots=True)
class OwnersFile:
    """The file, if there is one, and the state of the folders that it may be in."""

    entry: SourceEntry | None = None
    folders: Mapping[str, Any] = field(default_factory=dict)

    @property
    def blob(self) -> str | None:
        """The id of its content."""
        return self.entry.blob if self.entry else None


async def find_owners_file(
    root: Directory,
    read: Callable[[str, str], Awaitable[Directory]],
    before: Any,
    dialect: CodeOwnersDialect,
) -> OwnersFile:
    """Return the first of the files that the forge reads.

    ``read`` lists a folder, given its id and path; ``before`` is their remembered state.
    """
    known = before if isinstance(before, Mapping) else {}
    folders: dict[str, Any] = {}
    for path in LOCATIONS[dialect]:
        place, _, name = path.rpartition("/")
        entry = root.get(place or name)
        if entry is not None and not place and entry.type == "blob":
            return OwnersFile(SourceEntry(path, entry.sha, entry.mode), folders)
        if entry is None or not place or entry.type != "tree":
            continue
        folder_state = _unchanged_folder(known.get(place), entry.sha)
        if not folder_state:
            file_entry = (await read(entry.sha, place)).get(name)
            is_file = file_entry is not None and file_entry.type == "blob"
            folder_state = [
                entry.sha,
                *((file_entry.sha, file_entry.mode) if file_entry and is_file else ("", "")),
            ]
        folders[place] = folder_state
        if folder_state[1]:
            return OwnersFile(SourceEntry(path, folder_state[1], folder_state[2]), folders)
    return OwnersFile(None, folders)


def _unchanged_folder(known: Any, tree: str) -> list[str]:
    """Return the remembered state of a folder, if it has not changed since."""
    is_complete = isinstance(known, list) and len(known) == 3  # noqa: PLR2004 -- see above
    return [str(one) for one in known] if is_complete and known[0] == tree else []
