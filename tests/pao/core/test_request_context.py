"""What an execution is given of its request: what its templates read, and every sealed value."""

from dataclasses import replace
from typing import Any

import pytest
from temporalio.common import SearchAttributeKey

from pao.core.definitions import names_only
from pao.core.names import SEARCH_ATTRIBUTES
from pao.core.payloads.context import ItemSnapshot, RequestContext, Requester
from pao.core.search_attributes import search_attributes

FORM = {"groups": [{"id": "g", "fields": [{"id": "size", "type": "integer", "default": 3}]}]}
FIELDS: dict[str, Any] = {
    "size": 3,
    "token": "pao:enc:v1:k:x",
    "rows": [{"name": "a", "secret": "pao:enc:v1:k:y"}],
    "plain": [{"name": "pao", "tags": ["pao:enc:v1:k:z"]}, "pao:enc:"],
    "note": "of pao:enc:",
}
SEEN = {
    "db": {"status": "completed", "outputs": {"host": "1"}},
    "dns": {"status": "failed", "outputs": {"zone": "z"}},
}
CONTEXT = RequestContext(
    request_id="r",
    correlation_id="c",
    submitted_at="2026",
    item=ItemSnapshot(
        "thing",
        "1.0.0",
        "Thing",
        definition={
            "kind": "CatalogItem",
            "presentation": {"form": FORM},
            "fulfillment": {"automatic": {}},
        },
    ),
    requester=Requester("dana", "dana@example.com"),
    fields=FIELDS,
    components=SEEN,
)


@pytest.mark.parametrize(
    ("reads", "fields"),
    [
        (None, FIELDS.keys()),
        (["fields.*"], FIELDS.keys()),
        (["fields.size", "outputs.note"], {"size", "token", "rows"}),
        ([], {"token", "rows"}),
    ],
)
def test_an_action_is_given_the_fields_that_it_reads_and_what_is_sealed(
    reads: list[str] | None, fields: set[str]
) -> None:
    given = CONTEXT.for_action(reads).fields
    assert given == {name: FIELDS[name] for name in FIELDS if name in fields}


@pytest.mark.parametrize(
    ("reads", "whole"),
    [
        (None, {"db", "dns"}),
        (["components.*"], {"db", "dns"}),
        (["components.dns", "fields.db"], {"dns"}),
        ([], set()),
    ],
)
def test_an_action_is_given_the_outputs_of_the_components_that_it_reads(
    reads: list[str] | None, whole: set[str]
) -> None:
    given = CONTEXT.for_action(reads).components
    assert given == {
        name: seen if name in whole else {**seen, "outputs": {}} for name, seen in SEEN.items()
    }


def test_an_action_is_given_the_names_of_the_form_and_not_its_rules() -> None:
    assert CONTEXT.for_action(None).item.definition == {
        "kind": "CatalogItem",
        "presentation": {
            "form": {"groups": [{"id": "g", "fields": [{"id": "size", "type": "integer"}]}]}
        },
    }


def test_templates_know_the_fields_in_rows_and_the_components_of_a_bundle() -> None:
    inner = {"id": "port", "type": "integer", "validation": {"max": 9}}
    rules = {"id": "rules", "type": "list", "name": "Rules", "fields": [inner]}
    kept: dict[str, Any] = {
        "schemaVersion": "catalog/v1",
        "kind": "Bundle",
        "metadata": {"id": "b"},
    }
    kept["components"] = [{"id": "db"}]
    named = {"id": "rules", "type": "list", "fields": [{"id": "port", "type": "integer"}]}
    document = {**kept, "presentation": {"form": {"groups": [{"id": "g", "fields": [rules]}]}}}
    assert names_only(document) == {
        **kept,
        "presentation": {"form": {"groups": [{"id": "g", "fields": [named]}]}},
    }
    nothing: dict[str, Any] = {"presentation": {"form": {"groups": []}}}
    assert names_only({}) == names_only({"presentation": {"form": None}}) == nothing
    assert names_only({"presentation": {"form": {"groups": [{"id": "g"}]}}}) == {
        "presentation": {"form": {"groups": [{"id": "g", "fields": []}]}}
    }


def test_a_workflow_is_searched_by_item_person_team_and_correlation() -> None:
    item = replace(CONTEXT.item, owner_team="team-things")
    found = search_attributes(replace(CONTEXT, item=item))
    assert {pair.key.name: pair.value for pair in found} == {
        "PaoItem": "thing",
        "PaoStatus": "submitted",
        "PaoRequester": "dana",
        "PaoTeam": "team-things",
        "PaoCorrelationId": "c",
    }
    assert {pair.key.name for pair in found} == set(SEARCH_ATTRIBUTES)
    assert search_attributes(CONTEXT)[SearchAttributeKey.for_keyword("PaoTeam")] == ""


def test_an_activity_is_given_the_document_without_its_actions() -> None:
    kept = CONTEXT.without_plan()
    assert kept.item.definition.keys() == {"kind", "presentation"}
    assert kept.item.definition["presentation"] == {"form": FORM}
    assert replace(kept, item=CONTEXT.item) == CONTEXT


@pytest.mark.parametrize(
    ("title", "email", "summary"),
    [
        (None, None, "Thing for dana"),
        ("", "dana@example.com", "Thing for dana@example.com"),
        ("Thing", None, "Thing for dana"),
        ("orders", None, "Thing: orders for dana"),
    ],
)
def test_a_request_is_listed_by_item_title_and_person(
    title: str | None, email: str | None, summary: str
) -> None:
    assert replace(CONTEXT, title=title, requester=Requester("dana", email)).summary == summary
