"""Which changes of computed, conditional and listed values break callers."""

from copy import deepcopy
from typing import Any

import pytest

from catalog.document_kinds import parse_definition
from catalog.validation.changes import breaking_changes

Document = dict[str, Any]
ROWS: Document = {
    "id": "rules",
    "type": "list",
    "maxItems": 5,
    "uniqueBy": ["prefix", "days"],
    "fields": [{"id": "prefix", "type": "string"}, {"id": "days", "type": "integer"}],
}
FIELDS: list[Document] = [
    {"id": "name", "type": "string"},
    {"id": "terms", "type": "boolean"},
    {"id": "count", "type": "integer"},
    {"id": "day", "type": "date"},
    {"id": "stage", "type": "select", "required": True, "enum": ["a", "b"]},
    {"id": "page", "type": "url", "validation": {"hosts": ["a.example.com", "b.example.com"]}},
    {"id": "tags", "type": "multiselect", "items": {"maxLength": 9}},
    {"id": "size", "type": "select", "options": {"from": "list", "list": "sizes"}},
    ROWS,
]
RULE = {"id": "r", "check": "fields.name != 'x'", "message": "No."}


def document(
    fields: list[Document],
    rules: list[Document] | None = None,
    groups: list[Document] | None = None,
) -> Any:
    form = {"groups": [{"id": "g", "fields": fields}, *(groups or [])], "rules": rules or []}
    return parse_definition(
        {
            "schemaVersion": "catalog/v1",
            "kind": "CatalogItem",
            "metadata": {"id": "x", "name": "X", "version": "1.0.0", "category": "c"},
            "presentation": {"form": form},
        }
    )


def told(name: str, changes: Document) -> list[str]:
    fields = deepcopy(FIELDS)
    one = next(field for field in fields if field["id"] == name)
    one.update(changes)
    return [problem.message for problem in breaking_changes(document(FIELDS), document(fields))]


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("name", {"required": {"when": "fields.terms"}}, "is now required under a condition"),
        ("name", {"readOnly": True, "default": "x"}, "is now read-only"),
        (
            "name",
            {"conditional": {"dependsOn": "terms", "condition": "exists"}},
            "may now be hidden",
        ),
        ("terms", {"mustBe": True}, "is now required"),
        ("page", {"validation": {"hosts": ["a.example.com"]}}, "the hosts of 'page' changed"),
        ("tags", {"items": {"maxLength": 5}}, "the constraints of each value of 'tags' changed"),
        ("size", {"options": {"from": "teams"}}, "come from teams now, no longer from list"),
        ("size", {"options": {"from": "list", "list": "other"}}, "offers other now"),
        (
            "size",
            {"options": {"from": "list", "list": "sizes", "where": "row.a"}},
            "may offer less than before",
        ),
        ("name", {"type": "select", "options": {"from": "teams"}}, "the type of 'name' changed"),
        ("rules", {"maxItems": 4}, "the maxItems of 'rules' changed from 5 to 4"),
        ("rules", {"uniqueBy": ["prefix"]}, "must differ in prefix"),
        ("rules", {"fields": ROWS["fields"][:1], "uniqueBy": []}, "'days' was removed"),
        (
            "rules",
            {"fields": [{**ROWS["fields"][0], "required": True}, ROWS["fields"][1]]},
            "the field 'prefix' is now required",
        ),
    ],
)
def test_what_refuses_values_that_were_good_is_told(
    name: str, changes: Document, message: str
) -> None:
    assert any(message in one for one in told(name, changes)), told(name, changes)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("name", {"default": {"template": "{{fields.size}}"}}),
        ("page", {"validation": {"hosts": ["a.example.com", "b.example.com", "c.example.com"]}}),
        ("rules", {"maxItems": 9}),
        ("rules", {"fields": [*ROWS["fields"], {"id": "note", "type": "string"}]}),
        ("rules", {"uniqueBy": []}),
        ("size", {"description": "How large."}),
    ],
)
def test_what_lets_more_through_is_no_break(name: str, changes: Document) -> None:
    assert told(name, changes) == []


@pytest.mark.parametrize(
    ("before", "after", "breaks"),
    [
        ([], [RULE], True),
        ([RULE], [RULE | {"check": "fields.name != 'y'"}], True),
        ([RULE | {"severity": "warning"}], [RULE], True),
        ([RULE | {"when": "fields.terms"}], [RULE], True),
        ([RULE], [RULE | {"when": "fields.terms"}], False),
        ([RULE], [RULE | {"message": "Never."}], False),
        ([RULE], [], False),
        ([], [RULE | {"severity": "warning"}], False),
    ],
)
def test_a_rule_that_refuses_more_is_a_break(
    before: list[Document], after: list[Document], *, breaks: bool
) -> None:
    found = list(breaking_changes(document(FIELDS, before), document(FIELDS, after)))
    assert bool(found) is breaks


def on(condition: str, value: Any, name: str = "name") -> Document:
    return {"dependsOn": name, "condition": condition, "value": value}


@pytest.mark.parametrize(
    ("before", "after", "breaks"),
    [
        (None, on("equals", "a"), True),
        (on("equals", "a"), None, False),
        (on("equals", "a"), on("in", ["a", "b"]), False),
        (on("in", ["a", "b"]), on("equals", "a"), True),
        (on("equals", "a"), on("equals", "b"), True),
        (on("notIn", ["a", "b"]), on("notEquals", "a"), False),
        (on("notEquals", "a"), on("notIn", ["a", "b"]), True),
        (on("equals", "a"), on("exists", value=True), False),
        (on("notEquals", "a"), on("exists", value=True), True),
        (on("equals", "a"), on("equals", "a", "page"), True),
        (on("greaterThan", 5, "count"), on("greaterThan", 3, "count"), False),
        (on("greaterThan", 3, "count"), on("greaterThan", 5, "count"), True),
        (on("lessThan", 3, "count"), on("lessThan", 5, "count"), False),
        (on("lessThan", 5, "count"), on("lessThan", 3.5, "count"), True),
        (on("lessThan", 5, "count"), on("lessThan", 4.5, "count"), False),
        (on("equals", 7, "count"), on("greaterThan", 5, "count"), False),
        (on("greaterThan", "2026-03-01", "day"), on("greaterThan", "2026-02-01", "day"), False),
        (on("greaterThan", "2026-02-01", "day"), on("greaterThan", "2026-03-01", "day"), True),
        (on("lessThan", "2026-02-01", "day"), on("greaterThan", "2026-01-01", "day"), True),
        (on("equals", "a"), on("notEquals", "b"), False),
        (on("equals", "b"), on("notEquals", "b"), True),
        (on("in", ["a"]), on("notIn", ["b"]), False),
        (on("in", ["a", "b"]), on("notIn", ["b"]), True),
        (on("notEquals", "b"), on("equals", "a"), True),
        (on("notEquals", "b", "stage"), on("equals", "a", "stage"), False),
        (on("exists", None), on("exists", value=True), False),
        (on("exists", value=False), on("notEquals", "x"), False),
        (on("notEquals", "x"), on("exists", value=False), True),
        ({"not": on("equals", "x")}, on("notEquals", "x"), False),
        ({"not": on("equals", "x")}, on("notIn", ["x", "y"]), True),
        (on("contains", "ab"), on("contains", "a"), False),
        (on("contains", "a", "tags"), on("contains", "b", "tags"), True),
        (on("equals", "a"), {"any": [on("equals", "a"), on("equals", "b", "page")]}, False),
        ({"any": [on("equals", "a"), on("equals", "b", "page")]}, on("equals", "a"), True),
        (on("equals", "a"), {"all": [on("equals", "a"), on("equals", "b", "page")]}, True),
        ({"all": [on("equals", "a"), on("equals", "b", "page")]}, on("equals", "a"), False),
    ],
)
def test_a_field_or_group_that_is_shown_less_is_a_break(
    before: Document | None, after: Document | None, *, breaks: bool
) -> None:
    def made(*, condition: Document | None, of_group: bool) -> Any:
        note = {"id": "note", "type": "string"} | ({} if of_group else {"conditional": condition})
        own = {"id": "own", "fields": [note]} | ({"conditional": condition} if of_group else {})
        return document(FIELDS, groups=[own])

    for of_group in (False, True):
        states = (made(condition=one, of_group=of_group) for one in (before, after))
        assert bool(list(breaking_changes(*states))) is breaks


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ((on("equals", "a"), None), (None, on("equals", "a")), []),
        ((None, on("equals", "a")), (on("equals", "a"), None), []),
        (
            (on("equals", "a"), on("equals", 1, "count")),
            (on("equals", 1, "count"), on("equals", "a")),
            [],
        ),
        ((None, None), (on("equals", "a"), on("equals", 1, "count")), ["'note'", "'other'"]),
        ((None, on("equals", "a")), (on("equals", "b"), on("equals", "a")), ["'own'"]),
    ],
)
def test_the_condition_of_a_group_counts_with_that_of_its_field(
    before: tuple[Any, Any], after: tuple[Any, Any], said: list[str]
) -> None:
    def made(group: Document | None, field: Document | None) -> Any:
        notes = [
            {"id": name, "type": "string"} | ({"conditional": field} if field else {})
            for name in ("note", "other")
        ]
        own = {"id": "own", "fields": notes} | ({"conditional": group} if group else {})
        return document(FIELDS, groups=[own])

    found = [one.message for one in breaking_changes(made(*before), made(*after))]
    assert [one.split()[0] for one in found] == said


def test_a_value_that_a_list_loses_is_a_break() -> None:
    def sizes(*values: str) -> Any:
        return parse_definition(
            {
                "schemaVersion": "catalog/v1",
                "kind": "CatalogList",
                "metadata": {"id": "s", "name": "S", "version": "1.0.0", "category": "lists"},
                "rows": [{"value": value} for value in values],
            }
        )

    assert list(breaking_changes(sizes("a", "b"), sizes("b", "a", "c"))) == []
    (problem,) = breaking_changes(sizes("a", "b"), sizes("b"))
    assert problem.message == "the list 's' no longer has: a"
