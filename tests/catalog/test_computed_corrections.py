"""Corrections of a request whose form computes values, and rows in templates."""

from datetime import date
from typing import Any

import pytest

from catalog.corrections import correct
from catalog.document_kinds import parse_definition
from catalog.scopes import ScopeContext, build_scopes
from pao.core.definitions import names_only
from pao.core.payloads.context import ItemSnapshot, RequestContext, Requester
from pao.runtime.crypto import SecretBox, generate_key

TODAY = date(2026, 3, 5)
FIELDS: list[dict[str, Any]] = [
    {"id": "owner", "type": "team", "required": True},
    {"id": "name", "type": "string", "default": {"template": "{{fields.owner}}-db"}},
    {
        "id": "account",
        "type": "string",
        "readOnly": True,
        "default": {"template": "{{system.account}}"},
    },
    {
        "id": "rules",
        "type": "list",
        "fields": [
            {"id": "prefix", "type": "string"},
            {"id": "label", "type": "string", "default": {"template": "{{fields.prefix}}!"}},
        ],
    },
]
DEFINITION: dict[str, Any] = {
    "schemaVersion": "catalog/v1",
    "kind": "CatalogItem",
    "metadata": {"id": "x", "name": "X", "version": "1.0.0", "category": "c"},
    "presentation": {"form": {"groups": [{"id": "g", "fields": FIELDS}]}},
}
AROUND = ScopeContext(account="123")


@pytest.fixture
def box() -> SecretBox:
    return SecretBox(f"k1:{generate_key()}")


def request(fields: dict[str, Any]) -> RequestContext:
    return RequestContext(
        request_id="00000000-0000-4000-8000-000000000000",
        correlation_id="c",
        submitted_at="2026-03-01T10:00:00Z",
        item=ItemSnapshot("x", "1.0.0", "X", definition=DEFINITION),
        requester=Requester("dana"),
        fields=fields,
    )


KEPT = {"owner": "a", "name": "a-db", "account": "123"}


def test_a_correction_computes_again_what_was_computed(box: SecretBox) -> None:
    answer, _ = correct(request(KEPT), {"owner": "b"}, box, TODAY, AROUND)
    assert answer.valid
    assert answer.fields == {"owner": "b", "name": "b-db", "account": "123"}
    assert answer.diff["name"] == {"old": "a-db", "new": "b-db"}


def test_a_correction_leaves_what_the_caller_had_changed(box: SecretBox) -> None:
    answer, _ = correct(request(KEPT | {"name": "mine"}), {"owner": "b"}, box, TODAY, AROUND)
    assert answer.fields["name"] == "mine"


def test_a_correction_cannot_change_what_is_read_only(box: SecretBox) -> None:
    answer, errors = correct(request(KEPT), {"account": "9"}, box, TODAY, AROUND)
    assert not answer.valid
    assert [(one.field, one.constraint) for one in errors] == [("account", "readOnly")]


def test_a_read_only_value_follows_what_it_is_computed_from(box: SecretBox) -> None:
    answer, _ = correct(request(KEPT), {"owner": "b"}, box, TODAY, ScopeContext(account="456"))
    assert answer.diff["account"] == {"old": "123", "new": "456"}


def test_the_rows_of_a_correction_are_judged_and_completed(box: SecretBox) -> None:
    rows = [{"prefix": "p", "label": "p!"}]
    context = request(KEPT | {"rules": rows})
    answer, _ = correct(context, {"rules": [{"prefix": "q"}]}, box, TODAY, AROUND)
    assert answer.fields["rules"] == [{"prefix": "q", "label": "q!"}]
    _, errors = correct(context, {"rules": [{"prefx": "q"}]}, box, TODAY, AROUND)
    assert [one.field for one in errors] == ["rules[0].prefx"]


def test_a_field_of_a_row_without_a_value_is_null_in_templates() -> None:
    context = request(KEPT | {"rules": [{"prefix": "p"}, {"label": "l"}]})
    context.item.definition.update(names_only(DEFINITION))
    item = parse_definition(names_only(DEFINITION))
    scopes = build_scopes(context, AROUND, form=item.fields, secrets={}, outputs={})
    assert scopes["fields"]["rules"] == [
        {"prefix": "p", "label": None},
        {"prefix": None, "label": "l"},
    ]
