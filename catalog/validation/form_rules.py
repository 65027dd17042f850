"""Rules about forms: ids, conditions, constraints, defaults."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from graphlib import CycleError, TopologicalSorter
from typing import Any

from catalog.forms import Condition, FieldDefinition, FieldType
from catalog.forms.checks import CONSTRAINTS, constraint_problems, key_of
from catalog.forms.conditions import leaves, references
from catalog.forms.constraint_checks import STRENGTHS
from catalog.forms.definition import Operator
from catalog.forms.embedded_schema import missing_reference
from catalog.forms.form import FormError
from catalog.forms.graph import (
    CONDITIONS,
    EVERYTHING,
    Graph,
    condition_graph,
    dependency_graph,
    describe_cycle,
)
from catalog.forms.single_field import single_field_form
from catalog.forms.text_formats import comparable, resolve_moment
from catalog.forms.values import is_number, parse_date
from catalog.loading import Path
from catalog.suggestions import did_you_mean
from catalog.validation.hints import unquoted_number_hint, wrong_type_hint
from catalog.validation.subject import Problem, Subject

GROUPS: Path = ("presentation", "form", "groups")
RULES: Path = ("presentation", "form", "rules")
SHORTEST_PASSWORD = 8
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*(-[A-Za-z0-9_]+)*")
_ANY_DAY = date(2000, 1, 1)
_RANGES = (("min_length", "max_length"), ("min_items", "max_items"), ("min", "max"))


def fields_of(subject: Subject) -> Iterator[tuple[Path, FieldDefinition]]:
    """Yield every field with its path, those in the rows of lists included."""
    yield from subject.placed_fields


def form_fields(subject: Subject) -> Iterator[tuple[Path, FieldDefinition]]:
    """Yield every field of the form itself with its path."""
    for path, field in subject.placed_fields:
        if path.count("fields") == 1:
            yield path, field


def known_fields(subject: Subject, path: Path) -> dict[str, FieldDefinition]:
    """Return the fields that a condition at a path may look at: of the form, and of its row."""
    known = {field.id: field for field in subject.item.fields}
    if path.count("fields") > 1:
        group, index = path[len(GROUPS)], path[len(GROUPS) + 2]
        row = subject.item.groups[int(group)].fields[int(index)]
        known |= {inner.id: inner for inner in row.fields}
    return known


def conditions_of(subject: Subject) -> Iterator[tuple[Path, Condition]]:
    """Yield every condition of a group or field with its path."""
    for g, group in enumerate(subject.item.groups):
        if group.conditional:
            yield (*GROUPS, g, "conditional"), group.conditional
    for path, field in fields_of(subject):
        if field.conditional:
            yield (*path, "conditional"), field.conditional


def unique_ids(subject: Subject) -> Iterator[Problem]:
    """Require unique ids of groups, of rules, and of fields in the whole form.

    A field in the rows of a list may be called like one in another list, but not like a field of
    the form.
    """
    rules = subject.item.presentation.form.rules
    fields = [((*path, "id"), field.id) for path, field in form_fields(subject)]
    yield from _twice(
        "group", [((*GROUPS, g, "id"), o.id) for g, o in enumerate(subject.item.groups)]
    )
    yield from _twice("field", fields)
    yield from _twice("rule", [((*RULES, r, "id"), rule.id) for r, rule in enumerate(rules)])
    for path, field in form_fields(subject):
        rows = [((*path, "fields", r, "id"), one.id) for r, one in enumerate(field.fields)]
        yield from _twice("field", [*fields, *rows] if rows else [])


def _twice(kind: str, entries: list[tuple[Path, str]]) -> Iterator[Problem]:
    counts = Counter(identifier for _, identifier in entries)
    for path, identifier in entries:
        if counts[identifier] > 1:
            counts[identifier] = -counts[identifier]
        elif counts[identifier] < 0:
            yield Problem(path, f"the {kind} id {identifier[:80]!r} is used twice")


def field_id(subject: Subject) -> Iterator[Problem]:
    """Require a field id that templates can read."""
    for path, field in fields_of(subject):
        if not _NAME.fullmatch(field.id):
            yield Problem(
                (*path, "id"),
                f"the field id {field.id[:80]!r} cannot be used in templates",
                "use letters and digits, starting with a letter, such as instanceName",
            )


def camel_case(subject: Subject) -> Iterator[Problem]:
    """Require camelCase field ids."""
    for path, field in fields_of(subject):
        if _NAME.fullmatch(field.id) and ("_" in field.id or field.id[0].isupper()):
            yield Problem((*path, "id"), f"the field id {field.id[:80]!r} should be camelCase")


def names(subject: Subject) -> Iterator[Problem]:
    """Require names of groups and fields; without one, the label is made from the id."""
    for g, group in enumerate(subject.item.groups):
        if not group.name:
            yield Problem((*GROUPS, g), f"the group has no name; shown as {group.label[:80]!r}")
    for path, field in fields_of(subject):
        if not field.name:
            yield Problem(path, f"the field has no name; shown as {field.label[:80]!r}")


def condition_reference(subject: Subject) -> Iterator[Problem]:
    """Require that a condition refers to a field of this form."""
    for path, condition in conditions_of(subject):
        known = known_fields(subject, path)
        for way, name in references(condition):
            if name not in known:
                message = f"there is no field {name[:80]!r}{did_you_mean(name, known)}"
                yield Problem((*path, *way), message)


def condition_cycle(subject: Subject) -> Iterator[Problem]:
    """Require that fields do not depend on each other in a cycle.

    A field depends on what its condition looks at and on what its computed default reads.
    """
    form = subject.item.presentation.form
    problems = list(_cycle(subject, condition_graph(form), CONDITIONS))
    if not problems:
        try:
            graph = dependency_graph(form)
        except FormError:
            return
        problems = list(_cycle(subject, graph, EVERYTHING))
    yield from problems


def _cycle(subject: Subject, graph: Graph, what: str) -> Iterator[Problem]:
    """Yield each cycle once, without those that share fields with another."""
    left = dict(graph)
    while True:
        try:
            TopologicalSorter(left).prepare()
        except CycleError as error:
            first, members = error.args[1][0], set(error.args[1])
            where = next((path for path, field in fields_of(subject) if field.id == first), GROUPS)
            yield Problem(where, describe_cycle(error, what))
            left = {name: seen - members for name, seen in left.items() if name not in members}
        else:
            return


def condition_value(subject: Subject) -> Iterator[Problem]:
    """Require a value that fits the operator of a condition."""
    for path, condition in conditions_of(subject):
        for way, leaf in leaves(path, condition):
            wanted = _wanted_value(leaf)
            if wanted:
                yield Problem((*way, "value"), f"{leaf.condition} needs {wanted} as its value")


def _wanted_value(leaf: Condition) -> str | None:
    match leaf.condition:
        case Operator.IN | Operator.NOT_IN if not isinstance(leaf.value, list):
            return "a list"
        case Operator.GREATER_THAN | Operator.LESS_THAN:
            fits = is_number(leaf.value) or parse_date(leaf.value)
            return None if fits else "a number or a date (2026-03-01)"
        case Operator.EXISTS if not isinstance(leaf.value, bool | None):
            return "true or false"
    return None


def constraint(subject: Subject) -> Iterator[Problem]:
    """Require valid constraints: RE2 patterns, dates, sizes, schemas, enums."""
    for path, field in fields_of(subject):
        schema = field.validation.json_schema
        lost = missing_reference(schema) if schema and field.type is FieldType.JSON else None
        if lost is not None:
            problem = f"schema refers to {lost[:80]!r}, which is not in it"
            yield Problem((*path, "validation", "schema"), problem)
        for key, message in constraint_problems(field):
            if key in ("enum", "items"):
                yield Problem(path if key == "enum" else (*path, key), f"{key} {message}")
            else:
                hint = unquoted_number_hint(field.validation.model_dump(by_alias=True).get(key))
                yield Problem((*path, "validation", key), f"{key} {message}", hint)


def constraint_type(subject: Subject) -> Iterator[Problem]:
    """Require constraints that apply to the type of the field; others have no effect."""
    for path, field in fields_of(subject):
        known = {*CONSTRAINTS[field.type], "message"}
        for name in sorted(field.validation.model_fields_set - known):
            key = key_of(name)
            hint = "known here: " + ", ".join(sorted(key_of(n) for n in known))
            message = f"{key} has no effect on a field of type {field.type}"
            yield Problem((*path, "validation", key), message, hint, at_key=True)
        if field.enum is not None and "enum" not in known:
            message = f"enum has no effect on a field of type {field.type}"
            yield Problem((*path, "enum"), message, "use type select or multiselect", at_key=True)


def constraint_range(subject: Subject) -> Iterator[Problem]:
    """Require a lower bound that is not above its upper bound, or no value could pass."""
    for path, field in fields_of(subject):
        for low, high in _RANGES:
            least, most = field.constraint(low), field.constraint(high)
            if _is_above(least, most):
                message = f"{key_of(low)} {least} is above {key_of(high)} {most}"
                place = () if getattr(field, low, None) is not None else ("validation",)
                yield Problem((*path, *place, key_of(low)), message)


def _is_above(least: Any, most: Any) -> bool:
    """Return whether a lower bound is above the upper one, whichever day it is."""
    if is_number(least) and is_number(most):
        return bool(least > most)
    if not (isinstance(least, str) and isinstance(most, str)):
        return False
    if least.startswith("today") != most.startswith("today"):
        return False
    one, other = _bound(least), _bound(most)
    return one is not None and type(one) is type(other) and bool(one > other)


def _bound(text: str) -> Any:
    """Read a bound: a date or moment (as of any one day), a time or a duration."""
    found = comparable(text)
    return resolve_moment(text, _ANY_DAY) or (found and found[1])


def default_value(subject: Subject) -> Iterator[Problem]:
    """Require a default that passes the validation of its own field."""
    today = datetime.now(UTC).date()
    for path, field in fields_of(subject):
        if isinstance(field.default, dict) and field.type is not FieldType.JSON:
            yield from _computed_default(path, field)
            continue
        if field.default is None or any(constraint_problems(field)):
            continue
        try:
            form = single_field_form(field)
        except FormError:
            continue
        for error in form.validate({}, today).errors:
            message = f"the default is invalid: {error.message}"
            yield Problem((*path, "default"), message, _default_meant(field))


def _computed_default(path: Path, field: FieldDefinition) -> Iterator[Problem]:
    if field.template is None:
        message = "a computed default is a mapping with one text: template"
        yield Problem((*path, "default"), message, 'write default: {template: "{{fields.other}}"}')


def _default_meant(field: FieldDefinition) -> str:
    """Return a hint at the choice that looks like the default but has another type."""
    written = str(field.default).lower()
    for choice in field.choices or ():
        if choice.value != field.default and str(choice.value).lower() == written:
            return f"write {json.dumps(choice.value)}, as in the enum"
    if field.type is FieldType.BOOLEAN:
        return wrong_type_hint("true or false", field.default)
    return (
        unquoted_number_hint(field.default)
        if field.type in {FieldType.INTEGER, FieldType.NUMBER}
        else ""
    )


def default_secret(subject: Subject) -> Iterator[Problem]:
    """Warn about the default of a password: it is a secret that everybody can read."""
    for path, field in fields_of(subject):
        if field.type is FieldType.PASSWORD and field.plain_default is not None:
            yield Problem((*path, "default"), "everybody can read the default of a password")


def password_length(subject: Subject) -> Iterator[Problem]:
    """Require at least 8 characters of a password, by minLength or strength.

    A shorter one cannot be told apart from other text in a target's answer, and is masked as a
    whole word or value only.
    """
    for path, field in fields_of(subject):
        if field.type is not FieldType.PASSWORD or _least(field) >= SHORTEST_PASSWORD:
            continue
        message = (
            f"a password of fewer than {SHORTEST_PASSWORD} characters is not masked within words"
        )
        yield Problem(
            path, message, f"write validation: {{minLength: {SHORTEST_PASSWORD}}} or more"
        )


def _least(field: FieldDefinition) -> int:
    """Return how many characters a value has at least, as far as constraints say so."""
    given = field.validation
    by_strength = STRENGTHS[given.strength][0] if given.strength else 0
    return max(given.min_length or 0, by_strength)


def free_multiselect(subject: Subject) -> Iterator[Problem]:
    """Require an enum for a multiselect; without one, any value is accepted."""
    for path, field in fields_of(subject):
        bounded = field.choices or field.options is not None or field.items is not None
        if field.type is FieldType.MULTISELECT and not bounded:
            yield Problem(path, "the multiselect has no enum: any texts are accepted")
