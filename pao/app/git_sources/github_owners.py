"""Where the CODEOWNERS file of a tree is on GitHub; a folder that is as known costs no call."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from catalog.ownership import LOCATIONS, Dialect
from catalog.sources.source import Entry
from pao.clients.github.repository import SizedEntry

Entries = Mapping[str, SizedEntry]


@dataclass(frozen=True, slots=True)
class OwnersFile:
    """The file, if there is one, and what the folders are remembered by that it may be in."""

    entry: Entry | None = None
    folders: Mapping[str, Any] = field(default_factory=dict)


async def find_owners_file(
    root: Entries, read: Callable[[str], Awaitable[Entries]], before: Any
) -> OwnersFile:
    """Return the first file of those that GitHub looks at; ``read`` lists a folder by its id."""
    known = before if isinstance(before, Mapping) else {}
    folders: dict[str, Any] = {}
    for path in LOCATIONS[Dialect.GITHUB]:
        place, _, name = path.rpartition("/")
        found = root.get(name) if not place else None
        folder = root.get(place) if place else None
        if folder is not None and folder.type == "tree":
            folders[place] = await _looked(folder.sha, name, read, known.get(place))
            blob = folders[place][1]
            found = SizedEntry(path, folders[place][2], "blob", blob) if blob else None
        if found is not None and found.type == "blob":
            return OwnersFile(Entry(path, found.sha, found.mode), folders)
    return OwnersFile(None, folders)


async def _looked(
    tree: str, name: str, read: Callable[[str], Awaitable[Entries]], known: Any
) -> list[str]:
    """Return the folder's id, and the id and mode of the file in it, which are empty without it."""
    if isinstance(known, list) and len(known) == 3 and known[0] == tree:  # noqa: PLR2004 -- as returned
        return known
    entry = (await read(tree)).get(name)
    is_file = entry is not None and entry.type == "blob"
    return [tree, entry.sha, entry.mode] if entry and is_file else [tree, "", ""]
