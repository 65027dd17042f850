"""Judges values by what was asked for them: the choices of a source, names that are known."""

from typing import Any

from catalog.forms.constraint_checks import ConstraintFailure
from catalog.forms.definition import FieldDefinition, FieldType
from catalog.forms.evaluation_context import EvaluationContext
from catalog.forms.values import canonical, excerpt

_FEW = 20


def lookup_failures(
    one: FieldDefinition, value: Any, around: EvaluationContext
) -> list[ConstraintFailure]:
    """Return what was found by asking: a value that is not offered, a name that nobody knows."""
    way = f"{around.way}{one.id}"
    if way in around.context.unknown:
        what = "team" if one.type is FieldType.TEAM else "user"
        return [ConstraintFailure("known", f"is not a {what} that is known here", what)]
    offered = around.context.offered.get(way)
    if offered is None or (offered.problem is not None and offered.lenient):
        return []
    if offered.problem is not None:
        told = f"cannot be checked, because its choices cannot be loaded now: {offered.problem}"
        return [ConstraintFailure("options", told)]
    known = {canonical(choice.value) for choice in offered.choices}
    gone = [part for part in _parts(value) if canonical(part) not in known]
    if not gone:
        return []
    named = ", ".join(str(excerpt(part)) for part in gone[:_FEW])
    now = ", ".join(str(choice.value) for choice in offered.choices[:_FEW]) or "none"
    told = f"is not offered, or no longer: {named}. Offered now: {now}"
    return [ConstraintFailure("enum", told, [choice.value for choice in offered.choices[:_FEW]])]


def _parts(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
