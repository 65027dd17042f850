"""Checks values against lookups: the choices of a source, names that exist."""

from typing import Any

from catalog.forms.constraint_checks import ConstraintFailure
from catalog.forms.definition import FieldDefinition, FieldType
from catalog.forms.evaluation_context import EvaluationContext
from catalog.forms.values import canonical, excerpt

_FEW = 20


def lookup_failures(
    one: FieldDefinition, value: Any, evaluation: EvaluationContext
) -> list[ConstraintFailure]:
    """Return what lookups say: a value that is not offered, a name that does not exist."""
    path = f"{evaluation.row_path}{one.id}"
    if path in evaluation.context.unknown:
        what = "team" if one.type is FieldType.TEAM else "user"
        return [ConstraintFailure("known", f"is not a known {what}", what)]
    offered = evaluation.context.offered.get(path)
    if offered is None or (offered.problem is not None and offered.lenient):
        return []
    if offered.problem is not None:
        message = f"cannot be checked, because its choices cannot be loaded now: {offered.problem}"
        return [ConstraintFailure("options", message)]
    known = {canonical(choice.value) for choice in offered.choices}
    gone = [part for part in _parts(value) if canonical(part) not in known]
    if not gone:
        return []
    named = ", ".join(str(excerpt(part)) for part in gone[:_FEW])
    now = ", ".join(str(choice.value) for choice in offered.choices[:_FEW]) or "none"
    message = f"is not or no longer offered: {named}. Offered now: {now}"
    return [ConstraintFailure("enum", message, [choice.value for choice in offered.choices[:_FEW]])]


def _parts(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
