"""Sources of catalogs for tests: a repository on a stand-in, read as a worker reads it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from catalog.sources.source import CatalogSource, Listing, ListingContext, SourceEntry, Unchanged
from pao.app.git_sources.outgoing_calls import OutgoingCalls
from pao.clients.outgoing import ConnectionOptions, EgressRules, HttpClient

ITEM = """\
schemaVersion: v1
kind: CatalogItem
metadata:
  id: {id}
  name: {name}
  category: database
"""


def loopback_calls(target: str = "GitHub", *, seconds: float = 20.0) -> OutgoingCalls:
    """Return calls that may go to loopback only."""
    rules = EgressRules.parse(["127.0.0.1"])
    client = HttpClient(ConnectionOptions(rules=rules))
    return OutgoingCalls(client, target, seconds=seconds)


def items(count: int, *, folder: str = "catalog/database") -> dict[str, str]:
    """Return so many small files by their path."""
    made = {}
    for number in range(count):
        name = f"item-{number:04}"
        made[f"{folder}/{name}.yaml"] = ITEM.format(id=name, name=f"Item {number}")
    return made


@dataclass
class Reader:
    """Reads a source as the sync does: remembers what is in service and what is stored."""

    source: CatalogSource
    revision: str | None = None
    memory: Mapping[str, Any] = field(default_factory=dict)
    entries: dict[str, SourceEntry] = field(default_factory=dict)
    beside: dict[str, SourceEntry] = field(default_factory=dict)
    stored: dict[str, bytes] = field(default_factory=dict)

    async def read(self, *, is_poll: bool = False) -> Listing | Unchanged:
        """List, fetch what is not stored, and take the listing into service."""
        known = ListingContext(self.revision, self.memory, is_poll=is_poll)
        found = await self.source.listing(known)
        if isinstance(found, Listing):
            self.entries = {entry.path: entry for entry in found.entries}
            self.beside = {entry.path: entry for entry in found.beside}
            wanted = [
                entry
                for entry in (*found.entries, *found.beside)
                if entry.blob not in self.stored
                and entry.problem is None
                and entry.mode in {"100644", "100755"}
            ]
            if wanted:
                self.stored |= await self.source.contents(found.revision, wanted)
        self.revision, self.memory = found.revision, found.memory
        return found

    def texts(self) -> dict[str, str]:
        """Return what is in service, by path."""
        return {
            path: self.stored[entry.blob].decode()
            for path, entry in self.entries.items()
            if entry.blob in self.stored
        }
