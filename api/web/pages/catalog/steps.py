"""What happens when an item is requested, step by step, in words and as a diagram."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from api.web.pages.request.diagram import Diagram, DiagramNode, diagram_of
from api.web.words import KINDS, _, condition_in_words
from catalog.bundle import CatalogBundle
from catalog.model import CatalogDocument
from catalog.planning import Traits, plan
from pao.core.payloads.plan import PlannedAction


@dataclass(frozen=True, slots=True)
class ItemStep:
    """One step."""

    name: str
    about: str
    href: str | None = None


@dataclass(frozen=True, slots=True)
class ItemSteps:
    """The steps; ``instead`` are those of the manual way, if a person chooses it."""

    steps: list[ItemStep]
    diagram: Diagram | None
    instead: list[ItemStep]


def steps_of(document: CatalogDocument, traits: Traits) -> ItemSteps:
    """Return what happens for a request of an item, or of a bundle."""
    if isinstance(document, CatalogBundle):
        return _of_bundle(document)
    planned = [one for one in plan(document, traits) if not one.notice]
    first = [one for one in planned if not one.fallback]
    nodes = [_node(one.id, one.name or one.id, one.depends_on or ()) for one in first]
    labels = {name: one.label for name, one in document.form.fields.items()}
    instead = _steps((one for one in planned if one.fallback), labels)
    return ItemSteps(_steps(first, labels), diagram_of(nodes), instead)


def _of_bundle(bundle: CatalogBundle) -> ItemSteps:
    components = bundle.ordered_components
    names = {one.id: one.label for one in components}
    steps = [
        ItemStep(
            one.label,
            _after(names[name] for name in one.depends_on),
            f"/catalog/{one.catalog_item}",
        )
        for one in components
    ]
    nodes = [_node(one.id, one.label, one.depends_on) for one in components]
    return ItemSteps(steps, diagram_of(nodes), [])


def _steps(actions: Iterable[PlannedAction], labels: Mapping[str, str]) -> list[ItemStep]:
    actions = list(actions)
    names = {one.id: one.name or one.id for one in actions}
    return [
        ItemStep(
            names[one.id],
            ", ".join(
                filter(
                    None,
                    (
                        KINDS.get(one.type, one.type),
                        _when(one.when, labels),
                        _after(names[name] for name in one.depends_on or ()),
                    ),
                )
            ),
        )
        for one in actions
    ]


def _when(condition: str | None, labels: Mapping[str, str]) -> str:
    if not condition:
        return ""
    return _("only when %(condition)s") % {"condition": condition_in_words(condition, labels)}


def _node(key: str, name: str, after: Iterable[str]) -> DiagramNode:
    return DiagramNode(key, name, "pending", tuple(after))


def _after(names: Iterable[str]) -> str:
    joined = ", ".join(names)
    return _("after %(names)s") % {"names": joined} if joined else ""
