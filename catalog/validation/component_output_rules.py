"""The rule about what bundles read of their components: whether an item gives that at all."""

from collections.abc import Iterator, Mapping

from catalog.bundle import CatalogBundle
from catalog.fulfillment import Mode
from catalog.loading import Path, walk_texts
from catalog.model import CatalogDocument
from catalog.suggestions import did_you_mean
from catalog.templating import Names, TemplateError, check, check_when, environment_variables
from catalog.templating.value_types import shape_of_schema
from catalog.validation.folder_rules import CatalogDocuments, FileProblems
from catalog.validation.subject import Problem

_DEPTH = 4
_FEW = 20


def component_outputs(catalog: CatalogDocuments) -> FileProblems:
    """Require that ``components.<id>.outputs.<key>`` is an output of the component's item.

    A component's outputs are those of its item's actions together. Where a type gives whatever its
    target answers, nothing is required.
    """
    for file, bundle in catalog.documents.items():
        if isinstance(bundle, CatalogBundle) and catalog.outputs:
            yield from ((file, problem) for problem in _problems(bundle, catalog))


def _problems(bundle: CatalogBundle, catalog: CatalogDocuments) -> Iterator[Problem]:
    items = {one.id: one.catalog_item for one in bundle.components}
    known: dict[str, frozenset[str] | None] = {}
    for path, use in _uses(bundle):
        if use[0] != "components" or use[2:3] != ("outputs",) or len(use) < _DEPTH:
            continue
        component, key = use[1], use[3]
        item = catalog.items.get(items.get(component, ""))
        if item is None or key == "*":
            continue
        if component not in known:
            known[component] = _outputs(item, catalog.outputs)
        names = known[component]
        if names is not None and key not in names:
            message = f"{item.id} has no output {key[:80]!r}{did_you_mean(key, names)}"
            listed = ", ".join(sorted(names)[:_FEW])
            yield Problem(path, message, f"its outputs: {listed}" if listed else "")


def _uses(bundle: CatalogBundle) -> Iterator[tuple[Path, tuple[str, ...]]]:
    for index, component in enumerate(bundle.components):
        for place, text in walk_texts(component.config):
            path: Path = ("components", index, "config", *place)
            yield from ((path, use) for use in _read(bundle, text))
    ways = {
        ("manual", "actions"): bundle.manual_actions,
        ("automatic", "actions"): bundle.automatic_actions,
        ("onFailure",): bundle.fulfillment.on_failure,
        ("onWaiting",): bundle.fulfillment.on_waiting,
    }
    for way, actions in ways.items():
        for index, action in enumerate(actions):
            where: Path = ("fulfillment", *way, index)
            for place, text in walk_texts({"config": action.config, "cleanup": action.cleanup}):
                yield from (((*where, *place), use) for use in _read(bundle, text))
            for use in _read(bundle, action.when or "", condition=True):
                yield (*where, "when"), use


def _read(
    bundle: CatalogBundle, text: str, *, condition: bool = False
) -> tuple[tuple[str, ...], ...]:
    """Return what a template reads; a wrong one is reported by another rule."""
    if "components" not in text and "output" not in text:
        return ()
    actions = (*bundle.manual_actions, *bundle.automatic_actions)
    names = Names(
        groups={group.id: tuple(one.id for one in group.fields) for group in bundle.groups},
        outputs=tuple(action.id for action in actions),
        components=tuple(one.id for one in bundle.components),
        environment=environment_variables(text),
        item=bundle.id,
    )
    try:
        return tuple(check_when(text, names) if condition else check(text, names))
    except TemplateError:
        return ()


def _outputs(
    item: CatalogDocument, schemas: Mapping[str, Mapping[str, object]]
) -> frozenset[str] | None:
    """Return the names of all outputs that an item's actions may give, None where any may be."""
    found: set[str] = set()
    manual = item.manual_actions if item.mode is not Mode.AUTOMATIC else ()
    automatic = item.automatic_actions if item.mode is not Mode.MANUAL else ()
    for action in (*manual, *automatic):
        shape = shape_of_schema(schemas.get(action.type, {}), closed=True)
        if shape.members is None:
            return None
        found |= {*shape.members, *(output.name for output in action.outputs)}
    return frozenset(found)
