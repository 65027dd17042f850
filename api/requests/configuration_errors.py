"""What forms and the models of the actions refuse, as details of an error. No rules here."""

from collections.abc import Sequence

from catalog.configuration_checks import ValueProblem
from catalog.forms import FieldError
from pao.core.errors import Detail


def field_details(errors: Sequence[FieldError]) -> tuple[Detail, ...]:
    """Return what a form refuses as details of its fields."""
    return tuple(
        Detail(
            field=f"fields.{error.field}",
            constraint=error.constraint,
            message=error.message,
            received=error.received,
            expected=error.expected,
        )
        for error in errors
    )


def detail_of(problem: ValueProblem) -> Detail:
    """Return a finding as a detail: of the field to change, else of the item."""
    if problem.field is None:
        return Detail("catalogItemId", problem.constraint, problem.message)
    return Detail(
        field=f"fields.{problem.field}",
        constraint=problem.constraint,
        message=problem.message,
        received=problem.received,
    )


def refusal_message(problems: Sequence[ValueProblem], owner: str | None) -> str:
    """Return the sentence above the details: which fields to change, or whom to tell."""
    fields = list(dict.fromkeys(one.field for one in problems if one.field))
    if not fields:
        return (
            "The item's actions cannot be carried out as they are configured; tell its owner, "
            f"{owner or 'the platform team'}."
        )
    those = "this field" if len(fields) == 1 else "these fields"
    return (
        f"The item's actions cannot use the values of {those}: {', '.join(fields)}. See details "
        "and correct them."
    )
