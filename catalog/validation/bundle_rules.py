"""Rules about bundles that one document can answer: ids and order of its components."""

import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from catalog.suggestions import did_you_mean
from catalog.validation.metadata_rules import KEBAB
from catalog.validation.subject import Problem, Subject

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*(-[A-Za-z0-9_]+)*")


def bundle_id(subject: Subject) -> Iterator[Problem]:
    """Require a kebab-case id for a bundle."""
    if not KEBAB.fullmatch(subject.item.id):
        message = f"id {subject.item.id[:80]!r} is not kebab-case"
        yield Problem(("metadata", "id"), message, "for example bundle-webapp-standard")


def unique_ids(subject: Subject) -> Iterator[Problem]:
    """Require unique component ids that templates can read."""
    seen: set[str] = set()
    for path, component in subject.components():
        if component.id in seen:
            message = f"the component id {component.id[:80]!r} is used twice"
            yield Problem((*path, "id"), message, "give one of them another id")
        elif not _NAME.fullmatch(component.id):
            message = f"the component id {component.id[:80]!r} cannot be used in templates"
            hint = "use letters, digits and single hyphens, starting with a letter, such as app-db"
            yield Problem((*path, "id"), message, hint)
        seen.add(component.id)


def depends_on(subject: Subject) -> Iterator[Problem]:
    """Require dependencies on other components of the bundle, without cycles."""
    known = [component.id for _, component in subject.components()]
    for path, component in subject.components():
        for n, name in enumerate(component.depends_on):
            if name not in known:
                message = f"there is no component {name[:80]!r}{did_you_mean(name, known)}"
                hint = f"components of this bundle: {', '.join(known)}"
                yield Problem((*path, "dependsOn", n), message, hint)
    if len(set(known)) == len(known):
        yield from _cycle(subject)


def _cycle(subject: Subject) -> Iterator[Problem]:
    graph = {component.id: component.depends_on for _, component in subject.components()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        names = " -> ".join(str(name) for name in reversed(error.args[1]))
        message = f"the components wait for each other in a cycle: {names}"
        yield Problem(("components",), message, "remove one of them from a dependsOn")
