"""What every action of a request may know about it: the item, who asked, the fields."""

from dataclasses import dataclass, field, replace
from typing import Any

from pao.core.definitions import names_only
from pao.core.names import SEALED_PREFIX


@dataclass(frozen=True)
class Requester:
    """Who submitted the request, with the teams they had at that moment."""

    id: str
    email: str | None = None
    teams: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ItemSnapshot:
    """The catalog item as it was when the request was submitted; later changes do not reach it."""

    id: str
    version: str
    name: str
    owner_team: str | None = None
    git_sha: str | None = None
    definition: dict[str, Any] = field(default_factory=dict)


@dataclass
class RequestContext:
    """What every action of a request may know about it.

    ``components`` is what the own actions of a bundle see of its components. Requests of earlier
    versions have no ``title``.
    """

    request_id: str
    correlation_id: str
    submitted_at: str
    item: ItemSnapshot
    requester: Requester
    fields: dict[str, Any] = field(default_factory=dict)
    components: dict[str, Any] = field(default_factory=dict)
    title: str | None = None

    @property
    def summary(self) -> str:
        """The one line under which the workflow is listed: its subject and its requester."""
        return f"{self.subject} for {self.requester.email or self.requester.id}"

    @property
    def subject(self) -> str:
        """The item, and the request's title if it says more."""
        named = self.title and self.title != self.item.name
        return f"{self.item.name}: {self.title}" if named else self.item.name

    def without_plan(self) -> "RequestContext":
        """Return the context for an activity: the item's document without its actions.

        They are the larger part, an activity gets its own, and history keeps every input.
        """
        document = {key: part for key, part in self.item.definition.items() if key != "fulfillment"}
        return replace(self, item=replace(self.item, definition=document))

    def for_action(self, reads: list[str] | None) -> "RequestContext":
        """Return the context for an execution: the parts of document and fields that it can see.

        History keeps the input of every activity, and a request may have two hundred of them.
        Sealed values are always included: an activity masks every secret of its request, because a
        target may know it from elsewhere.
        """
        fields = self.fields
        if reads is not None and "fields.*" not in reads:
            fields = {
                name: value
                for name, value in fields.items()
                if f"fields.{name}" in reads or _holds_sealed(value)
            }
        components = self.components
        if reads is not None and "components.*" not in reads:
            components = {
                name: seen if f"components.{name}" in reads else {**seen, "outputs": {}}
                for name, seen in components.items()
            }
        item = replace(self.item, definition=names_only(self.item.definition))
        return replace(self, fields=fields, item=item, components=components)


def _holds_sealed(value: Any) -> bool:
    """Return whether a value is sealed, or a row of a list in it holds one that is."""
    if isinstance(value, list):
        cells = (cell for row in value if isinstance(row, dict) for cell in row.values())
        return any(isinstance(cell, str) and _holds_sealed(cell) for cell in cells)
    return isinstance(value, str) and value.startswith(SEALED_PREFIX)
