"""Which targets of an item do not respond now, shown before it is requested."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from catalog.loading import walk_texts
from catalog.model import CatalogDocument
from catalog.planning import plan
from db.repositories.breakers import BreakersRepository
from db.session import Database
from pao.clients.outgoing import host_of
from pao.core.errors import PaoError

_GITHUB = "GitHub "
# An address whose host is written out.
_LITERAL = re.compile(r"\s*(https?://[^/?#{}\s]+)(?=[/?#]|\s*\Z)", re.IGNORECASE)
_ON_GITHUB = frozenset({"git-commit", "github-workflow"})


@dataclass(frozen=True, slots=True)
class TargetOutage:
    """A target that does not answer: its name for people, since when, and what it said last."""

    target: str
    since: datetime
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageService:
    """Looks for open circuit breakers."""

    database: Database
    jira: Any

    async def of(self, item: CatalogDocument) -> list[TargetOutage]:
        """Return the targets of an item's first way that do not answer; none where that is unknown.

        A bundle's components are asked for on their own pages.
        """
        try:
            async with self.database.reading() as session:
                breakers = await BreakersRepository(session).open(item.id)
        except PaoError:
            return []
        if not breakers:
            return []
        called = frozenset(self._targets(item))
        found = {
            one.target: TargetOutage(
                self._title(one.target), one.failing_since or one.retry_at, one.last_error or ""
            )
            for one in breakers
            if one.retry_at is not None and (one.item or _is_called(one.target, called))
        }
        return list(found.values())

    def _title(self, target: str) -> str:
        # There is one GitHub at most.
        github = "GitHub" if target.startswith(_GITHUB) else target
        return str(self.jira.titles.get(target, github))

    def _targets(self, item: CatalogDocument) -> Iterator[str]:
        for action in plan(item):
            if action.fallback or action.notice:
                continue
            if action.type == "jira-ticket":
                yield from self._instance(action.config)
            if action.type in _ON_GITHUB:
                yield _GITHUB
            for _place, text in walk_texts(action.config):
                if found := _LITERAL.match(text):
                    yield host_of(found[1])

    def _instance(self, config: dict[str, Any]) -> Iterator[str]:
        ticket = config.get("ticket") or {}
        try:
            client = self.jira.instance(config.get("instance"), ticket.get("project"))
        except LookupError:
            return
        yield client.instance.target


def _is_called(target: str, called: frozenset[str]) -> bool:
    return target in called or (target.startswith(_GITHUB) and _GITHUB in called)
