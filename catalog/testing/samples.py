"""A made-up request: who, when, which fields and which outputs an item is tried with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

from catalog.form_context import form_context
from catalog.forms import FormContext, FormResult, OfferedChoices
from catalog.forms.evaluation_context import FieldQuery
from catalog.forms.local_options import (
    answers_by_path,
    bounded_queries,
    offer,
    offered_locally,
    without_row_numbers,
)
from catalog.model import CatalogDocument
from catalog.planning import snapshot_of
from catalog.scopes import ScopeContext
from catalog.secrets import mask_passwords
from catalog.titles import title_of
from pao.core.payloads.context import RequestContext, Requester
from pao.core.timestamps import timestamp

REQUEST_ID = "00000000-0000-4000-8000-000000000000"
MOMENT = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
"""A Monday; the same in every dry run, so that results do not change from day to day."""


def _person() -> Requester:
    return Requester(id="dana", email="dana@example.com", teams=["team-orders"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What a request would bring; ``outputs`` are those of earlier actions, by action id.

    ``options`` are the values that fields offer whose choices come from elsewhere; of a field in a
    list by ``rules.cluster``. ``lists`` are the rows of the catalog's lists, as far as known.
    ``offered`` is what fields offer by their paths (``rules[0].cluster``), where that is known
    already. ``environment`` holds variables of the environment that templates read.
    """

    fields: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    requester: Requester = field(default_factory=_person)
    at: datetime = MOMENT
    options: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    lists: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    offered: Mapping[str, OfferedChoices] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def today(self) -> date:
        """The day that relative dates count from."""
        return self.at.astimezone(UTC).date()


def validate_sample(
    item: CatalogDocument, sample: Sample, scope_context: ScopeContext
) -> FormResult:
    """Validate the sample's fields as its requester would submit them."""
    about = form_context(item, sample.requester, sample.at, scope_context)
    offered = sample.offered
    if offered is None:
        offered = _offered_choices(item, sample, about)
    return item.form.validate(sample.fields, sample.today, replace(about, offered=offered))


def _offered_choices(
    item: CatalogDocument, sample: Sample, about: FormContext
) -> dict[str, OfferedChoices]:
    """Return what fields offer by path; rows with the same query are answered once."""
    found = item.form.questions(sample.fields, sample.today, about)
    asked = [one for one in found if one.field.options is not None]
    known = {
        key: _offered_to(item, one, sample, about) for key, one in bounded_queries(asked).items()
    }
    answers = answers_by_path(asked, known).items()
    return {path: answer for path, answer in answers if answer is not None}


def _offered_to(
    item: CatalogDocument, question: FieldQuery, sample: Sample, about: FormContext
) -> OfferedChoices | None:
    """Return what a field offers as far as that is known without asking anybody."""
    values = sample.options.get(without_row_numbers(question.path))
    if values is not None:
        return offer({"value": value} for value in values)
    teams, lists = sample.requester.teams, sample.lists
    return offered_locally(item.form, question, about, teams=teams, lists=lists)


def context_of(
    item: CatalogDocument, definition: dict[str, Any], values: Mapping[str, Any], sample: Sample
) -> tuple[RequestContext, dict[str, str]]:
    """Return the context of the made-up request, passwords apart from it."""
    context = RequestContext(
        request_id=REQUEST_ID,
        correlation_id=REQUEST_ID,
        submitted_at=timestamp(sample.at),
        item=snapshot_of(item, definition, None),
        requester=sample.requester,
        fields=mask_passwords(values, item.passwords),
    )
    context.title = title_of(item, context)
    found = item.passwords.values_in(values)
    return context, {way: str(value) for way, value in found.items()}
