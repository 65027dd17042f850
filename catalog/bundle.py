"""A bundle as its document says it: several items as one request. How it runs is not here."""

from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import Any, Literal

from pydantic import Field, StrictBool

from catalog.forms.base import Model
from catalog.fulfillment import Fulfillment
from catalog.model import CatalogDocument

MOST_COMPONENTS = 100


class Component(Model):
    """One item of a bundle, with the values of its fields."""

    id: str = Field(
        min_length=1, description="Unique; components.<id> in templates.", examples=["app-db"]
    )
    name: str = Field("", description="The displayed name; default: the id.")
    catalog_item: str = Field(
        min_length=1,
        description="Id of the item that is requested.",
        examples=["database-postgresql-standard"],
    )
    depends_on: tuple[str, ...] = Field(
        (), description="Ids of components that must be completed first.", examples=[["app-db"]]
    )
    config: dict[str, Any] = Field(
        default_factory=dict,
        description="Field ids of the item with their values; texts may be templates.",
        examples=[{"instanceName": "{{fields.appName}}-db"}],
    )

    @property
    def label(self) -> str:
        """The name, or the id where there is none."""
        return self.name or self.id


class OrchestrationMode(StrEnum):
    """Whether components run one after another, or as soon as what they depend on is there."""

    SEQUENTIAL = "sequential"
    PARALLEL = "parallel"


class JiraLinking(Model):
    """How the JIRA tickets of dependent components are linked."""

    link_type: str = Field(
        "blocks",
        min_length=1,
        description="Name of JIRA's link type; the earlier ticket blocks the later one.",
        examples=["blocks"],
    )
    parent_ticket: StrictBool = Field(
        default=False, description="Whether a parent ticket is created."
    )


class Orchestration(Model):
    """In which order the components run, and how their tickets are linked."""

    mode: OrchestrationMode = OrchestrationMode.SEQUENTIAL
    jira_linking: JiraLinking = JiraLinking()


class BundleFulfillment(Fulfillment):
    """The orchestration of the components; the bundle's own actions run after all of them."""

    orchestration: Orchestration = Orchestration()


class CatalogBundle(CatalogDocument):
    """Several items as one request, with a form of its own."""

    kind: Literal["CatalogBundle"] = Field(description="Several items as one request.")
    components: tuple[Component, ...] = Field(
        min_length=1,
        max_length=MOST_COMPONENTS,
        description="The items to request, each with its values.",
    )
    fulfillment: BundleFulfillment = BundleFulfillment()

    @property
    def orchestration(self) -> Orchestration:
        """Order and ticket links."""
        return self.fulfillment.orchestration

    @cached_property
    def ordered_components(self) -> tuple[Component, ...]:
        """Return the components so that each comes after those that it depends on.

        Apart from that the document's order stays; where the dependencies go in a circle, which
        validation refuses, it stays as it is.
        """
        graph = {one.id: set(one.depends_on) & self._ids for one in self.components}
        try:
            TopologicalSorter(graph).prepare()
        except CycleError:
            return self.components
        waiting, done, ordered = list(self.components), set[str](), list[Component]()
        while waiting:
            free = next(one for one in waiting if graph[one.id] <= done)
            waiting.remove(free)
            done.add(free.id)
            ordered.append(free)
        return tuple(ordered)

    @cached_property
    def ready_before(self) -> Mapping[str, tuple[str, ...]]:
        """Return for each component the ids of those that have surely completed before it starts.

        In sequential mode these are all earlier ones, in parallel mode those that it depends on,
        directly or through others.
        """
        ready: dict[str, tuple[str, ...]] = {}
        for index, component in enumerate(self.ordered_components):
            earlier = tuple(one.id for one in self.ordered_components[:index])
            if self.orchestration.mode is OrchestrationMode.PARALLEL:
                needed = set(component.depends_on)
                needed |= {far for near in needed for far in ready.get(near, ())}
                earlier = tuple(one for one in earlier if one in needed)
            ready[component.id] = earlier
        return ready

    @cached_property
    def _ids(self) -> frozenset[str]:
        return frozenset(component.id for component in self.components)
