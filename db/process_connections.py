"""The processes that use this database, identified by the names of their connections.

`pg_stat_activity` shows them to every process of the same role, so nothing has to be stored.
"""

import logging
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from db.repositories.connections import ConnectionsRepository
from db.session import Database

_log = logging.getLogger(__name__)

MOST_SHARE = 0.8
"""The share of `max_connections` that all processes together may open without a warning."""

_NAME = re.compile(r"(?P<kind>pao-[a-z-]+) most=(?P<most>\d+) id=(?P<id>[0-9a-f]+)")


@dataclass(frozen=True, slots=True)
class ProcessName:
    """The name of a process's connections: its kind, and how many it may open."""

    kind: str
    most: int
    id: str = field(default_factory=lambda: secrets.token_hex(4))

    def __str__(self) -> str:
        return f"{self.kind} most={self.most} id={self.id}"

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Read the name of a connection; None where it is not one of ours."""
        match = _NAME.fullmatch(text)
        return cls(match["kind"], int(match["most"]), match["id"]) if match else None


async def check_connections(database: Database, own: ProcessName) -> None:
    """Warn if all running processes may open more connections than the server can take."""
    async with database.reading() as session:
        repository = ConnectionsRepository(session)
        names, room = await repository.names(), await repository.most()
    processes = {process for name in names if (process := ProcessName.read(name))}
    warning = connections_warning({own} | processes, room=room)
    if warning:
        _log.warning(warning)


def connections_warning(processes: Iterable[ProcessName], *, room: int) -> str | None:
    """Return what is wrong with the number of connections; None if nothing is."""
    sorted_processes = sorted(processes, key=lambda one: (one.kind, one.id))
    wanted = sum(one.most for one in sorted_processes)
    if wanted <= MOST_SHARE * room:
        return None
    kinds = {one.kind: 0 for one in sorted_processes}
    for one in sorted_processes:
        kinds[one.kind] += 1
    counts = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    return (
        f"the processes of PAO ({counts}) may open {wanted} connections to Postgres, more than"
        f" {MOST_SHARE:.0%} of its max_connections ({room}): lower DB_MAX_OPEN_CONNS or raise"
        " max_connections"
    )
