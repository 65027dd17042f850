"""What happens when an item is requested, step by step, in words and as a picture."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from api.web.pages.request.picture import Node, Picture, picture_of
from api.web.words import KINDS, _, condition_in_words
from catalog.bundle import CatalogBundle
from catalog.model import CatalogDocument
from catalog.planning import Traits, plan
from pao.core.payloads.plan import PlannedAction


@dataclass(frozen=True, slots=True)
class Step:
    """One step."""

    name: str
    about: str
    href: str | None = None


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps; ``instead`` are those of the manual way, if a person chooses it."""

    steps: list[Step]
    picture: Picture | None
    instead: list[Step]


def steps_of(document: CatalogDocument, traits: Traits) -> Steps:
    """Return what happens for a request of an item, or of a bundle."""
    if isinstance(document, CatalogBundle):
        return _of_bundle(document)
    planned = [one for one in plan(document, traits) if not one.notice]
    first = [one for one in planned if not one.fallback]
    nodes = [_node(one.id, one.name or one.id, one.depends_on or ()) for one in first]
    labels = {name: one.label for name, one in document.form.fields.items()}
    instead = _steps((one for one in planned if one.fallback), labels)
    return Steps(_steps(first, labels), picture_of(nodes), instead)


def _of_bundle(bundle: CatalogBundle) -> Steps:
    parts = bundle.ordered_components
    names = {one.id: one.label for one in parts}
    steps = [
        Step(
            one.label,
            _after(names[name] for name in one.depends_on),
            f"/catalog/{one.catalog_item}",
        )
        for one in parts
    ]
    nodes = [_node(one.id, one.label, one.depends_on) for one in parts]
    return Steps(steps, picture_of(nodes), [])


def _steps(actions: Iterable[PlannedAction], labels: Mapping[str, str]) -> list[Step]:
    actions = list(actions)
    names = {one.id: one.name or one.id for one in actions}
    return [
        Step(
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


def _node(key: str, name: str, after: Iterable[str]) -> Node:
    return Node(key, name, "pending", tuple(after))


def _after(names: Iterable[str]) -> str:
    told = ", ".join(names)
    return _("after %(names)s") % {"names": told} if told else ""
