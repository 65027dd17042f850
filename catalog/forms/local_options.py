"""What fields offer that no other system has to be asked for, and how many questions are asked."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from catalog.forms.context import FormContext, OfferedChoices
from catalog.forms.definition import Choice
from catalog.forms.evaluation_context import FieldQuery
from catalog.forms.form import Form
from catalog.forms.options import (
    HttpOptions,
    ListOptions,
    ResourceOptions,
    TeamOptions,
    as_choices,
)

# Of one submission: calls to other systems, and lists whose rows are filtered.
MOST_CALLS, MOST_LISTS = 20, 100
TOO_MANY = OfferedChoices(
    problem=f"The rows ask for more than {MOST_CALLS} different lists of options; send fewer."
)
NO_RESOURCES = OfferedChoices(problem="PAO keeps no resources yet.")

Answer = TypeVar("Answer", bound=OfferedChoices | None)
Lists = Mapping[str, Sequence[Mapping[str, Any]]]
"""The rows of CatalogLists, by their ids."""


def query_key(question: FieldQuery) -> str:
    """Return a key that is the same for rows whose field offers the same."""
    seen = json.dumps(dict(question.inputs), sort_keys=True, default=str)
    return f"{without_row_numbers(question.path)} {seen}"


def without_row_numbers(path: str) -> str:
    """Return the path of a field without row numbers: ``rules.cluster``."""
    return re.sub(r"\[[0-9]+\]", "", path)


def bounded_queries(questions: Iterable[FieldQuery]) -> dict[str, FieldQuery]:
    """Return the different questions by their keys, as many of each kind as are asked at once."""
    different: dict[str, FieldQuery] = {}
    for one in questions:
        different.setdefault(query_key(one), one)
    calls = [key for key, one in different.items() if isinstance(one.field.options, HttpOptions)]
    others = [key for key in different if key not in set(calls)]
    return {key: different[key] for key in (*calls[:MOST_CALLS], *others[:MOST_LISTS])}


def answers_by_path(
    questions: Iterable[FieldQuery], answers: Mapping[str, Answer]
) -> dict[str, Answer | OfferedChoices]:
    """Return the answer to each query by its path, from those by their keys.

    A question beyond the bounds is answered by ``TOO_MANY``.
    """
    return {one.path: answers.get(query_key(one), TOO_MANY) for one in questions}


def offered_locally(
    form: Form, question: FieldQuery, about: FormContext, *, teams: Iterable[str], lists: Lists
) -> OfferedChoices | None:
    """Return what a field offers of the requester's teams or a known list.

    None where that is not known without asking elsewhere.
    """
    match question.field.options:
        case TeamOptions():
            return offer({"value": team} for team in sorted(teams))
        case ListOptions(list=name) if name in lists:
            return offer(form.offered_rows(question, lists[name], about))
        case ResourceOptions():
            return NO_RESOURCES
    return None


def offer(rows: Iterable[Mapping[str, Any]]) -> OfferedChoices:
    """Return rows with ``value`` and perhaps ``label`` as what a field offers."""
    return OfferedChoices(tuple(Choice(**row) for row in as_choices(rows)))
