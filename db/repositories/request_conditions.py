"""Conditions of the request list's filters, written for the indexes of migration 0032."""

import re
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, Text, cast, func, literal, literal_column, or_, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import col

from db.documents import dump_json
from db.models import Request, RequestAction
from db.repositories.request_filters import RequestFilters, Sort
from db.repositories.request_visibility import teams_overlap

_SEPARATORS = re.compile(r"[\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e\s]+")
_MOST_WORDS = 20


def lookup_conditions(filters: RequestFilters) -> list[ColumnElement[bool]]:
    """Return the conditions that leave few rows, or else exclude components."""
    conditions: list[ColumnElement[bool]] = []
    if filters.parent:
        conditions.append(col(Request.parent_id) == UUID(filters.parent))
    if filters.correlation_id:
        conditions.append(col(Request.correlation_id) == UUID(filters.correlation_id))
    if filters.external_reference:
        conditions.append(_has_reference(filters.external_reference))
    if not filters.parent and not filters.external_reference:
        conditions.append(col(Request.parent_id).is_(None))
    return conditions


def filter_conditions(
    filters: RequestFilters, mentioned: Sequence[UUID] = ()
) -> list[ColumnElement[bool]]:
    """Return the other conditions; ``mentioned`` always match the searched text."""
    conditions: list[ColumnElement[bool]] = []
    if filters.statuses:
        conditions.append(col(Request.status).in_(filters.statuses))
    if filters.sort is Sort.WAITING:
        conditions.append(col(Request.waiting_since).is_not(None))
    if filters.waiting_after is not None:
        conditions.append(col(Request.waiting_since) > filters.waiting_after)
    if filters.causes:
        conditions.append(_json_text(Request.error, "cause").in_(filters.causes))
    if filters.tags:
        tags = cast(literal(dump_json({"tags": filters.tags}), Text), JSONB)
        conditions.append(col(Request.request_metadata).op("@>", is_comparison=True)(tags))
    if filters.text is not None:
        named = [col(Request.id).in_(mentioned)] if mentioned else []
        conditions.append(or_(_has_words(filters.text), *named))
    if filters.catalog_item_id is not None:
        conditions.append(col(Request.catalog_item_id) == filters.catalog_item_id)
    if filters.user_id is not None:
        conditions.append(col(Request.user_id) == filters.user_id)
    if filters.team is not None:
        conditions.append(teams_overlap([filters.team]))
    return conditions


def _has_reference(reference: str) -> ColumnElement[bool]:
    actions = select(col(RequestAction.request_id)).where(
        col(RequestAction.external_reference) == reference
    )
    return col(Request.id).in_(actions)


def _has_words(text: str) -> ColumnElement[bool]:
    """Return the condition that every word of a text begins a word of the request."""
    words = [word for word in _SEPARATORS.split(text) if word][:_MOST_WORDS]
    request_words = func.public.request_words(
        col(Request.title),
        col(Request.catalog_item_id),
        col(Request.catalog_item_name),
        _json_text(Request.request_metadata, "tags"),
    )
    query = " & ".join(f"'{word}':*" for word in words)
    return request_words.op("@@", is_comparison=True)(func.to_tsquery(_constant("simple"), query))


def _json_text(column: object, key: str) -> ColumnElement[str]:
    return col(column).op("->>", return_type=Text())(_constant(key))


def _constant(text: str) -> ColumnElement[str]:
    """Return a constant as a literal, as in the expressions of the indexes."""
    return literal_column(f"'{text}'")
