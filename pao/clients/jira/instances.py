"""The JIRA instances that the operator has configured, each with one pooled client."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from pao.clients.jira.client import JiraClient
from pao.clients.jira.jira_errors import JiraError
from pao.clients.jira.models import JiraInstance, TicketStatus


@dataclass(frozen=True, slots=True)
class TicketReference:
    """A ticket as PAO has stored it; ``url`` is its page for people, which names the instance."""

    key: str
    url: str | None = None
    instance: str | None = None


@dataclass(frozen=True, slots=True)
class TicketReading:
    """The status of a ticket in JIRA, or why there is none.

    ``gone`` is set if JIRA answered that there is no such ticket; ``error`` if it gave no usable
    answer, which says nothing about the ticket.
    """

    ticket: TicketReference
    status: TicketStatus | None = None
    gone: bool = False
    error: str | None = None


class JiraInstances:
    """JIRA clients by instance; the first one is the default, unless another is named."""

    def __init__(self, instances: Iterable[JiraInstance], *, default: str | None = None) -> None:
        known = list(instances)
        self._clients = {one.name: JiraClient(replace(one, alone=len(known) == 1)) for one in known}
        self._default = default or next(iter(self._clients), "")

    def instance(self, name: str | None, project: str | None = None) -> JiraClient:
        """Return the named client, else the one that the project is mapped to, else the default.

        Raises ``LookupError`` with a sentence that says what is configured.
        """
        if not self._clients:
            raise LookupError("no JIRA is configured; set JIRA_BASE_URL or JIRA_INSTANCES")
        if name:
            return self._get(name)
        for client in self._clients.values():
            if client.instance.serves(project):
                return client
        return self._get(self._default)

    def for_ticket(self, ticket: TicketReference) -> JiraClient:
        """Return the client of a ticket's instance.

        The address of its page decides, even if the configuration has changed. Without one, or if
        no instance has it, the instance is chosen as for a new ticket.
        """
        for client in self._clients.values():
            if ticket.url and ticket.url == client.instance.browse_url(ticket.key):
                return client
        return self.instance(ticket.instance, ticket.key.partition("-")[0])

    async def statuses(
        self, tickets: Sequence[TicketReference], correlation_id: str | None = None
    ) -> list[TicketReading]:
        """Return the status of many tickets, a hundred with one call, instances in parallel.

        An instance's error does not raise: it is in the readings of its tickets.
        """
        groups: dict[str, list[TicketReference]] = {}
        readings: list[TicketReading] = []
        for ticket in tickets:
            try:
                groups.setdefault(self.for_ticket(ticket).instance.name, []).append(ticket)
            except LookupError as error:
                readings.append(TicketReading(ticket, error=str(error)))
        asked = (self._read_group(name, group, correlation_id) for name, group in groups.items())
        for found in await asyncio.gather(*asked):
            readings.extend(found)
        return readings

    def all(self) -> dict[str, JiraClient]:
        """Return every client by its instance's name."""
        return dict(self._clients)

    @property
    def titles(self) -> dict[str, str]:
        """What people call each of them, by its name among the targets of circuit breakers."""
        return {one.instance.target: one.instance.title for one in self._clients.values()}

    def close(self) -> None:
        """Close every client's connections."""
        for client in self._clients.values():
            client.close()

    def _get(self, name: str) -> JiraClient:
        if name not in self._clients:
            known = ", ".join(self._clients)
            raise LookupError(f"there is no JIRA instance {name!r}; configured are: {known}")
        return self._clients[name]

    async def _read_group(
        self, name: str, tickets: Sequence[TicketReference], correlation_id: str | None
    ) -> list[TicketReading]:
        keys = {ticket.key for ticket in tickets}
        try:
            found = await self._clients[name].get_statuses(keys, correlation_id)
        except JiraError as error:
            return [TicketReading(ticket, error=error.message) for ticket in tickets]
        return [
            TicketReading(ticket, status=found[ticket.key], gone=found[ticket.key] is None)
            for ticket in tickets
        ]
