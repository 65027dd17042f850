"""Whether the form of a component's item accepts what a bundle passes to it."""

import logging
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from catalog.bundle import CatalogBundle, Component
from catalog.config_texts import is_template
from catalog.forms import FieldDefinition, FieldType, FormError
from catalog.forms.single_field import single_field_form
from catalog.loading import Path, walk_texts
from catalog.model import CatalogDocument
from catalog.suggestions import did_you_mean
from catalog.templating import Inspection
from catalog.templating.value_types import LIST, describe_kinds
from catalog.validation.folder_rules import CatalogDocuments, FileProblems
from catalog.validation.secret_rules import canonical_use, is_secret, reads_rows
from catalog.validation.subject import Problem
from catalog.validation.template_types import field_shape
from catalog.validation.templates import component_templates

_log = logging.getLogger(__name__)


def component_fields(catalog: CatalogDocuments) -> FileProblems:
    """Require values that the form of a component's item accepts.

    Unknown fields, values of a wrong type and missing required fields are found, in the rows of
    lists as well; a template is checked by the type of its result. A password may only be passed
    to a password.
    """
    for file, bundle, path, component in catalog.components():
        item = catalog.items.get(component.catalog_item)
        if item is not None and not isinstance(item, CatalogBundle):
            for problem in _contain_errors(_field_problems(bundle, component, item, path), path):
                yield file, problem


def _contain_errors(problems: Iterator[Problem], path: Path) -> Iterator[Problem]:
    """Report an internal error as a problem of this component, so that the others are checked."""
    try:
        yield from problems
    except Exception as error:  # noqa: BLE001 -- whatever it is, it must stay in this file
        _log.exception("checking a component's fields failed with an internal error")
        kind = type(error).__name__
        yield Problem(path, f"could not be checked because of an internal error in PAO ({kind})")


def _field_problems(
    bundle: CatalogBundle, component: Component, item: CatalogDocument, path: Path
) -> Iterator[Problem]:
    fields = {field.id: field for field in item.fields}
    templates = component_templates(bundle, component)
    config = (*path, "config")
    for key, value in component.config.items():
        where = (*config, key)
        if key not in fields:
            yield _unknown(where, item.id, fields)
        elif (key,) in templates:
            given, wanted = _kinds(templates[key,]), field_shape(fields[key]).present_kinds
            if not given & wanted:
                message = f"this gives {describe_kinds(given)}, but the field {key} of {item.id}"
                yield Problem(where, f"{message} needs {describe_kinds(wanted)}")
        elif not any(is_template(text) for _, text in walk_texts(value)):
            yield from _literal_problems(where, fields[key], value)
        elif fields[key].type is FieldType.LIST and isinstance(value, list):
            yield from _row_problems(where, fields[key], value)
    for place, found in templates.items():
        secret = _misplaced_secret(bundle, item, place, found)
        if place[0] in fields and secret:
            message = (
                f"{secret} is a secret, but what it is passed to is not a password of {item.id}"
            )
            yield Problem((*config, *place), message)
    yield from _missing_fields(component, item, path)


def _kinds(found: Inspection) -> int:
    return found.shape.present_kinds


def _unknown(where: Path, owner: str, fields: Mapping[str, Any]) -> Problem:
    key = str(where[-1])
    message = f"{owner} has no field {key[:80]!r}{did_you_mean(key, fields)}"
    return Problem(where, message, f"its fields: {', '.join(list(fields)[:20])}", at_key=True)


def _row_problems(where: Path, field: FieldDefinition, rows: list[Any]) -> Iterator[Problem]:
    """Yield what is wrong with rows of which some values are templates."""
    fields = {inner.id: inner for inner in field.fields}
    for index, row in enumerate(rows):
        for key, value in row.items() if isinstance(row, Mapping) else ():
            place = (*where, index, key)
            if key not in fields:
                yield _unknown(place, field.id, fields)
            elif not any(is_template(text) for _, text in walk_texts(value)):
                yield from _literal_problems(place, fields[key], value)


def _misplaced_secret(
    bundle: CatalogBundle, item: CatalogDocument, place: Path, found: Inspection
) -> str | None:
    """Return a secret of the bundle's form that a template passes to anything but a password."""
    given, taken = bundle.passwords, item.passwords
    key, inner = str(place[0]), place[2:]
    in_rows = taken.in_rows.get(key, frozenset())
    if key in taken.fields or (len(inner) == 1 and inner[0] in in_rows):
        return None
    for use in found.shown:
        if is_secret(use, given):
            return ".".join(use)
        # Of a text that is made of rows only the rendering says what it shows.
        if reads_rows(use, given) and not place[1:] and _kinds(found) & LIST:
            hidden = given.in_rows[canonical_use(use)[1]] - in_rows
            if hidden:
                return f"{'.'.join(use)}[].{min(hidden)}"
    return None


def _literal_problems(where: Path, field: FieldDefinition, value: Any) -> Iterator[Problem]:
    try:
        form = single_field_form(field)
    except FormError:
        return
    for error in form.validate({field.id: value}, datetime.now(UTC).date()).errors:
        yield Problem(where, f"the field {field.id} does not accept this: {error.message}")


def _missing_fields(component: Component, item: CatalogDocument, path: Path) -> Iterator[Problem]:
    for group in item.groups:
        for field in group.fields:
            needed = field.is_always_required and field.default is None
            always = field.conditional is None and group.conditional is None
            if needed and always and field.id not in component.config:
                message = f"{item.id} needs a value for its field {field.id!r}"
                yield Problem(path, message, "add it to config")
