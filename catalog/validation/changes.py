"""Breaking changes for those who already request an item: compares the old and new version.

Git is asked in catalog/history.py.
"""

from collections.abc import Iterator
from typing import Any

from catalog.forms import FieldDefinition
from catalog.forms.definition import GroupDefinition
from catalog.forms.values import canonical, is_number, parse_size
from catalog.lists import CatalogList
from catalog.loading import Path
from catalog.model import CatalogDocument
from catalog.suggestions import nearest
from catalog.validation.condition_changes import Fields, conjunction, is_narrower
from catalog.validation.findings import Severity
from catalog.validation.form_changes import narrowed_parts, new_rules, removed_rows
from catalog.validation.metadata_rules import SEMVER
from catalog.validation.subject import Problem

BREAKING, UNCHANGED = "breaking-change", "version-unchanged"
HISTORY_RULES = (
    (
        BREAKING,
        "Breaking changes have a new major version",
        Severity.ERROR,
        (
            "Against a Git revision: a field was removed, renamed, made required, given another "
            "type or a condition, an enum or a list lost values, a pattern or a limit was "
            "tightened, a rule was added, an item was removed without having been deprecated. In "
            "0.x versions, a new minor version is enough."
        ),
    ),
    (
        UNCHANGED,
        "Changes have a new version",
        Severity.WARNING,
        "Against a Git revision: the document changed and its version did not.",
    ),
)
_GROUPS: Path = ("presentation", "form", "groups")
# Of a bound: whether a larger number lets fewer values through.
_BOUNDS = {
    "min": True,
    "max": False,
    "min_length": True,
    "max_length": False,
    "min_items": True,
    "max_items": False,
}
_STRENGTHS = ("weak", "medium", "strong")

_PlacedField = tuple[Path, GroupDefinition, FieldDefinition]


def breaking_changes(before: CatalogDocument, after: CatalogDocument) -> Iterator[Problem]:
    """Yield what values that were good before are no longer good after, each at its place."""
    yield from _field_changes(_fields(before), _fields(after), _GROUPS)
    yield from _hidden(_fields(before), _fields(after))
    yield from new_rules(before.presentation.form, after.presentation.form)
    if isinstance(before, CatalogList) and isinstance(after, CatalogList):
        yield from removed_rows(before, after)


def _field_changes(
    old: dict[str, _PlacedField], new: dict[str, _PlacedField], where: Path
) -> Iterator[Problem]:
    for field_id, (_, _, field) in old.items():
        if field_id not in new:
            yield _removed_field(field, old, new, where)
        else:
            yield from _narrowing_changes(field, old[field_id], new[field_id])
    for field_id, (path, group, field) in new.items():
        if field_id not in old and _is_always_demanded(group, field):
            yield Problem(path, f"the new field {field_id!r} is required and has no default")


def _hidden(old: dict[str, _PlacedField], new: dict[str, _PlacedField]) -> Iterator[Problem]:
    """Yield the fields and groups that are shown less than before, a group once."""
    before, after = _with_group_conditions(old), _with_group_conditions(new)
    reported: set[Path] = set()
    for field_id, (path, group, field) in new.items():
        if field_id not in old:
            continue
        was = old[field_id][2]
        pair = before[field_id].conditional, after[field_id].conditional
        if is_narrower(*pair, before, after):
            of_group = was.conditional == field.conditional
            place = path[: len(_GROUPS) + 1] if of_group else path
            if place not in reported:
                reported.add(place)
                yield _hidden_problem(group.id if of_group else field_id, place)
        earlier = {inner.id: inner for inner in was.fields}
        seen = {**before, **earlier}, {**after, **{inner.id: inner for inner in field.fields}}
        for index, inner in enumerate(field.fields):
            one = earlier.get(inner.id)
            if one and is_narrower(one.conditional, inner.conditional, *seen):
                yield _hidden_problem(inner.id, (*path, "fields", index))


def _with_group_conditions(fields: dict[str, _PlacedField]) -> Fields:
    """Return fields with the condition of their group added to their own."""
    return {
        name: field.model_copy(
            update={"conditional": conjunction(group.conditional, field.conditional)}
        )
        for name, (_, group, field) in fields.items()
    }


def _hidden_problem(what: str, path: Path) -> Problem:
    message = f"{what!r} may now be hidden; requests that send a value for it are then refused"
    return Problem((*path, "conditional"), message)


def is_major(before: str, after: str) -> bool:
    """Return whether a version announces that something breaks; in 0.x the second number does."""
    old, new = SEMVER.fullmatch(before), SEMVER.fullmatch(after)
    if not old or not new:
        return before != after
    parts = [(int(found[1]), int(found[2])) for found in (old, new)]
    return parts[1][0] > parts[0][0] or (parts[0][0] == parts[1][0] == 0 and parts[1] > parts[0])


def _fields(document: CatalogDocument) -> dict[str, _PlacedField]:
    return {
        field.id: ((*_GROUPS, g, "fields", f), group, field)
        for g, group in enumerate(document.groups)
        for f, field in enumerate(group.fields)
    }


def _rows(placed: _PlacedField) -> dict[str, _PlacedField]:
    path, group, field = placed
    return {
        inner.id: ((*path, "fields", index), group, inner)
        for index, inner in enumerate(field.fields)
    }


def _removed_field(
    field: FieldDefinition,
    old: dict[str, _PlacedField],
    new: dict[str, _PlacedField],
    place: Path,
) -> Problem:
    added = [name for name in new if name not in old]
    same = [name for name in added if new[name][2].type is field.type]
    renamed = nearest(field.id, added) or (same[0] if len(same) == 1 == len(added) else None)
    message = f"was renamed to {renamed!r}" if renamed else "was removed"
    where = new[renamed][0] if renamed else place
    return Problem(where, f"the field {field.id!r} {message}; requests that send it are refused")


def _is_always_demanded(group: GroupDefinition, field: FieldDefinition) -> bool:
    shown = field.conditional is None and group.conditional is None
    return field.is_always_required and field.default is None and shown


def _narrowing_changes(
    field: FieldDefinition, old: _PlacedField, new: _PlacedField
) -> Iterator[Problem]:
    path, group, now = new
    if field.type is not now.type:
        message = f"the type of {field.id!r} changed from {field.type} to {now.type}"
        yield Problem((*path, "type"), message)
        return
    if _is_always_demanded(group, now) and not _is_always_demanded(old[1], field):
        yield Problem((*path, "required"), f"the field {field.id!r} is now required")
    yield from _enum(field, now, path)
    yield from _constraints(field, now, path)
    yield from narrowed_parts(field, now, path)
    yield from _field_changes(_rows(old), _rows(new), (*path, "fields"))


def _enum(field: FieldDefinition, now: FieldDefinition, path: Path) -> Iterator[Problem]:
    if now.choices is None:
        return
    where = (*path, "enum") if now.enum is not None else (*path, "validation", "enum")
    if field.choices is None:
        yield Problem(where, f"the field {field.id!r} now accepts only the listed values")
        return
    left = {canonical(choice.value) for choice in now.choices}
    gone = [one.value for one in field.choices if canonical(one.value) not in left]
    if gone:
        named = ", ".join(str(value) for value in gone[:10])
        yield Problem(where, f"the field {field.id!r} no longer accepts: {named}")


def _constraints(field: FieldDefinition, now: FieldDefinition, path: Path) -> Iterator[Problem]:
    before, after = field.validation, now.validation
    for name, larger_is_tighter in _BOUNDS.items():
        was, is_now = field.constraint(name), now.constraint(name)
        if _is_tighter(was, is_now, larger_is_tighter=larger_is_tighter):
            yield _tightened_constraint(path, field, name, was, is_now)
    for name in ("pattern", "step", "types", "hosts", "json_schema"):
        was, is_now = getattr(before, name), getattr(after, name)
        if is_now is not None and is_now != was and not _is_wider(name, was, is_now):
            yield _tightened_constraint(path, field, name, was, is_now)
    for name, rank in (("max_size", _size_rank), ("strength", _strength_rank)):
        was, is_now = rank(getattr(before, name)), rank(getattr(after, name))
        if is_now > was:
            yield _tightened_constraint(
                path, field, name, getattr(before, name), getattr(after, name)
            )


def _is_tighter(was: Any, now: Any, *, larger_is_tighter: bool) -> bool:
    if now is None or now == was:
        return False
    if was is None or not (is_number(was) and is_number(now)):
        return True
    return bool(now > was) if larger_is_tighter else bool(now < was)


def _is_wider(name: str, was: Any, now: Any) -> bool:
    return name in ("types", "hosts") and was is not None and set(was) <= set(now)


def _size_rank(size: Any) -> float:
    return float("-inf") if size is None else -float(parse_size(size))


def _strength_rank(strength: Any) -> int:
    return _STRENGTHS.index(str(strength)) if strength else 0


def _tightened_constraint(
    path: Path, field: FieldDefinition, name: str, was: Any, now: Any
) -> Problem:
    key = name.split("_", maxsplit=1)[0] + "".join(
        part.capitalize() for part in name.split("_")[1:]
    )
    key = "schema" if name == "json_schema" else key
    shown = "" if name == "json_schema" else f" from {_value_text(was)} to {_value_text(now)}"
    message = f"the {key} of {field.id!r} changed{shown}; values that were good may be refused"
    return Problem((*path, "validation", key), message)


def _value_text(value: Any) -> str:
    return "nothing" if value is None else str(value)[:80]
