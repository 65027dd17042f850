"""Where the CODEOWNERS file of a tree is; a folder that is as known costs no call."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from catalog.ownership import LOCATIONS, Dialect
from catalog.sources.source import Entry


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
    """The file, if there is one, and what the folders are remembered by that it may be in."""

    entry: Entry | None = None
    folders: Mapping[str, Any] = field(default_factory=dict)

    @property
    def blob(self) -> str | None:
        """The id of its content."""
        return self.entry.blob if self.entry else None


async def find_owners_file(
    root: Directory,
    read: Callable[[str, str], Awaitable[Directory]],
    before: Any,
    dialect: Dialect,
) -> OwnersFile:
    """Return the first file of those that the forge looks at.

    ``read`` lists a folder, given its id and path; ``before`` is what folders were remembered by.
    """
    known = before if isinstance(before, Mapping) else {}
    folders: dict[str, Any] = {}
    for path in LOCATIONS[dialect]:
        place, _, name = path.rpartition("/")
        entry = root.get(place or name)
        if entry is not None and not place and entry.type == "blob":
            return OwnersFile(Entry(path, entry.sha, entry.mode), folders)
        if entry is None or not place or entry.type != "tree":
            continue
        kept = _kept(known.get(place), entry.sha)
        if not kept:
            inside = (await read(entry.sha, place)).get(name)
            is_file = inside is not None and inside.type == "blob"
            kept = [entry.sha, *((inside.sha, inside.mode) if inside and is_file else ("", ""))]
        folders[place] = kept
        if kept[1]:
            return OwnersFile(Entry(path, kept[1], kept[2]), folders)
    return OwnersFile(None, folders)


def _kept(known: Any, tree: str) -> list[str]:
    """Return what a folder was remembered by, if it has not changed since."""
    whole = isinstance(known, list) and len(known) == 3  # noqa: PLR2004 -- see above
    return [str(one) for one in known] if whole and known[0] == tree else []
