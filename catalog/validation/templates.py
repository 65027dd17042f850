"""Every template of a document with its place, and what is known of it. No rules here."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Protocol

from catalog import action_order as ordering
from catalog.bundle import CatalogBundle, Component
from catalog.forms.expressions import FormTemplate, form_templates
from catalog.fulfillment import Action, Mode
from catalog.loading import Path, YamlDocument, walk_texts
from catalog.model import CatalogDocument
from catalog.templating import (
    Inspection,
    Names,
    TemplateError,
    all_errors,
    environment_variables,
    inspect,
)
from catalog.templating.value_types import UNKNOWN, ValueShape, mapping_of
from catalog.validation.template_types import (
    component_shapes,
    document_shapes,
    output_shapes,
    row_shapes,
)

_FORM: Path = ("presentation", "form")


TITLE: Path = ("metadata", "title")


@dataclass(frozen=True, slots=True)
class PlacedTemplate:
    """A template at its place: what it is part of, and the result of its inspection.

    ``place`` is the way into the configuration of ``action``, None where it is no part of one;
    ``of_form`` says what it is to the form, where it is part of that. ``errors`` are what is wrong
    whatever the values are, ``remarks`` what the types of the values make wrong. Where there are
    errors, nothing is ``found``.
    """

    path: Path
    text: str
    action: Action | None = None
    place: Path | None = None
    is_condition: bool = False
    of_form: FormTemplate | None = None
    names: Names | None = None
    found: Inspection | None = None
    errors: tuple[TemplateError, ...] = ()
    remarks: tuple[TemplateError, ...] = ()


class TemplatedDocument(Protocol):
    """What is asked of a document to find its templates; a rule's ``Subject`` answers it."""

    @property
    def item(self) -> CatalogDocument:
        """The parsed document."""
        ...

    @property
    def document(self) -> YamlDocument:
        """The document as it was read."""
        ...

    @property
    def output_schemas(self) -> Mapping[str, Mapping[str, Any]]:
        """The schema of each action type's outputs, by its name."""
        ...

    @property
    def bundle(self) -> CatalogBundle | None:
        """The bundle, where the document is one."""
        ...

    def action_lists(self) -> Iterator[tuple[Path, tuple[Action, ...]]]:
        """Return each list of actions with its path."""
        ...

    def components(self) -> Iterator[tuple[Path, Component]]:
        """Return each component of a bundle with its path."""
        ...


def placed_templates(subject: TemplatedDocument) -> Iterator[PlacedTemplate]:
    """Yield every template of a document, in the order of the lists."""
    inspector = _DocumentInspector(subject)
    if subject.item.metadata.title:
        yield inspector.inspect(PlacedTemplate(TITLE, subject.item.metadata.title), {}, ())
    for one in form_templates(subject.item.presentation.form):
        yield inspector.inspect_form_template(one)
    for path, component in subject.components():
        ready = subject.bundle.ready_before[component.id] if subject.bundle else ()
        for place, text in walk_texts(component.config):
            yield inspector.inspect(PlacedTemplate((*path, "config", *place), text), {}, ready)
    everything = tuple(component.id for _, component in subject.components())
    for path, actions in subject.action_lists():
        before = ended_before(actions, parallel=_is_parallel(subject, path))
        known = {action.id: action for action in actions}
        for index, action in enumerate(actions):
            earlier = {key: known[key] for key in before[action.id]}
            for placed in _texts_of(action, (*path, index)):
                is_cleanup = placed.place is None and not placed.is_condition
                # What is to be undone may name what the action itself has made.
                seen = {**earlier, action.id: action} if is_cleanup else earlier
                yield inspector.inspect(placed, seen, everything)


def component_templates(bundle: CatalogBundle, component: Component) -> dict[Path, Inspection]:
    """Return what is known of the templates in a component's values, by their place in it.

    Templates that are wrong are left out: a rule of the bundle alone reports them.
    """
    groups = {group.id: tuple(field.id for field in group.fields) for group in bundle.groups}
    ready = bundle.ready_before[component.id]
    shapes = document_shapes(bundle, bundle.metadata.model_dump(by_alias=True))
    shapes["components"] = component_shapes(ready)
    found: dict[Path, Inspection] = {}
    for place, text in walk_texts(component.config):
        if not ("{{" in text or "{%" in text):
            continue
        names = Names(groups, (), ready, environment_variables(text), item=bundle.id)
        with suppress(TemplateError):
            found[place] = inspect(text, names, shapes)
    return found


def ended_before(actions: Sequence[Action], *, parallel: bool) -> dict[str, list[str]]:
    """Return for each action the ids of those that have ended for certain before it starts."""
    ordered = ordering.in_order(actions)
    return ordering.ancestors(ordering.dependencies(ordered, parallel=parallel))


def _is_parallel(subject: TemplatedDocument, path: Path) -> bool:
    automatic = subject.item.fulfillment.automatic
    return "automatic" in path and automatic is not None and automatic.parallel


def _texts_of(action: Action, path: Path) -> Iterator[PlacedTemplate]:
    if action.when is not None:
        yield PlacedTemplate((*path, "when"), action.when, action, is_condition=True)
    for place, text in walk_texts(action.config):
        yield PlacedTemplate((*path, "config", *place), text, action, place)
    if action.cleanup is not None:
        yield PlacedTemplate((*path, "cleanup"), action.cleanup, action)


class _DocumentInspector:
    """Inspects templates with what is known of their document."""

    def __init__(self, subject: TemplatedDocument) -> None:
        self._item = subject.item
        self._groups = {
            group.id: tuple(f.id for f in group.fields) for group in subject.item.groups
        }
        self._shapes = document_shapes(subject.item, subject.document.data.get("metadata"))
        self._outputs = subject.output_schemas
        self._known: dict[tuple[Any, ...], tuple[Names, Mapping[str, ValueShape]]] = {}

    def inspect_form_template(self, one: FormTemplate) -> PlacedTemplate:
        """Inspect a template of the form, which reads no outputs; in a list it sees its row."""
        placed = PlacedTemplate(
            (*_FORM, *one.path), one.text, is_condition=not one.computed, of_form=one
        )
        groups, shapes = self._groups, dict(self._shapes)
        if one.row_of is not None:
            groups = {**groups, "": tuple(inner.id for inner in one.row_of.fields)}
            seen = {**(shapes["fields"].members or {}), **row_shapes(one.row_of)}
            shapes["fields"] = mapping_of(seen)
        variables = environment_variables(one.text)
        names = Names(groups, (), environment=variables, row=one.filters)
        return _inspect(placed, names, shapes)

    def inspect(
        self, placed: PlacedTemplate, earlier: Mapping[str, Action], components: tuple[str, ...]
    ) -> PlacedTemplate:
        """Inspect one template."""
        if not placed.is_condition and "{" not in placed.text:
            return placed
        # Which variables the operator shows to templates is known at submission, not here.
        variables = environment_variables(placed.text)
        seen = (tuple(earlier), components, variables, "manual" in placed.path)
        around = self._known.get(seen)
        if around is None:
            around = self._names_and_shapes(placed.path, earlier, components, variables)
            self._known[seen] = around
        return _inspect(placed, *around)

    def _names_and_shapes(
        self,
        path: Path,
        earlier: Mapping[str, Action],
        components: tuple[str, ...],
        variables: tuple[str, ...],
    ) -> tuple[Names, Mapping[str, ValueShape]]:
        """Return the names and shapes that exist at a place, which many templates share."""
        names = Names(self._groups, tuple(earlier), components, variables, item=self._item.id)
        shapes = self._shapes | self._shapes_after(earlier, components)
        shapes["fulfillment"] = self._published_outputs(earlier, path)
        return names, shapes

    def _published_outputs(self, earlier: Mapping[str, Action], path: Path) -> ValueShape:
        """Return the shape of what earlier actions have published by key."""
        actions = [*earlier.values()]
        if self._item.mode is Mode.HYBRID and "manual" in path:
            # The manual way of a hybrid item comes after the automatic one has failed.
            actions += self._item.automatic_actions
        keys = [output.name for action in actions for output in action.outputs]
        return mapping_of(dict.fromkeys(keys, UNKNOWN))

    def _shapes_after(
        self, earlier: Mapping[str, Action], components: tuple[str, ...]
    ) -> dict[str, ValueShape]:
        return {
            "outputs": output_shapes(earlier, self._outputs),
            "components": component_shapes(components),
        }


def _inspect(
    placed: PlacedTemplate, names: Names, shapes: Mapping[str, ValueShape]
) -> PlacedTemplate:
    try:
        found = inspect(placed.text, names, shapes, condition=placed.is_condition)
    except TemplateError as error:
        if placed.is_condition:
            return replace(placed, errors=(error,))
        wrong = all_errors(placed.text, names, shapes)
        return replace(placed, errors=wrong.errors or (error,), remarks=wrong.remarks)
    return replace(placed, names=names, found=found, remarks=found.diagnostics)
