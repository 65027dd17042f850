"""Bounds that nothing can meet, cycles and JSONPaths, found without the action types' own code."""

import json
from typing import Any

import pytest

from catalog.builtin_action_types import builtin_action_types
from catalog.validation import validate
from tests.catalog.validation.example_items import FILE, item

URL = "https://x.example.com"


def told(text: str) -> list[tuple[str, str]]:
    found = validate(text, file=FILE, known_actions=builtin_action_types()).findings
    return [(one.rule, one.message) for one in found if one.severity == "error"]


def form(*fields: dict[str, Any]) -> str:
    named = [{"name": "Name", "type": "string", **field} for field in fields]
    groups = [{"id": "all", "name": "All", "fields": named}]
    return item(json.dumps({"presentation": {"form": {"groups": groups}}}))


def call(**config: Any) -> str:
    config = {"endpoint": {"url": URL}, **config}
    action = {"id": "step", "type": "rest-api", "config": config}
    return item(json.dumps({"fulfillment": {"manual": {"actions": [action]}}}))


@pytest.mark.parametrize(
    ("kind", "more", "message"),
    [
        (
            "list",
            {"minItems": 5, "maxItems": 2, "fields": [{"id": "a", "name": "A", "type": "string"}]},
            "minItems 5 is above maxItems 2",
        ),
        (
            "multiselect",
            {"enum": ["a"], "validation": {"minItems": 2, "maxItems": 1}},
            "minItems 2 is above maxItems 1",
        ),
        ("date", {"validation": {"min": "today", "max": "today-1d"}}, "min today is above max"),
        ("date", {"validation": {"min": "2027-01-01", "max": "2026-12-31"}}, "min 2027-01-01 is"),
        (
            "datetime",
            {"validation": {"min": "2026-01-02", "max": "2026-01-01T23:00:00Z"}},
            "min 2026-01-02 is above",
        ),
        ("time", {"validation": {"min": "18:00", "max": "08:30"}}, "min 18:00 is above max 08:30"),
        ("duration", {"validation": {"min": "90m", "max": "1h"}}, "min 90m is above max 1h"),
    ],
)
def test_bounds_that_nothing_can_meet(kind: str, more: dict[str, Any], message: str) -> None:
    [(rule, said)] = told(form({"id": "x", "type": kind, **more}))
    assert rule == "constraint-range"
    assert said.startswith(message)


@pytest.mark.parametrize(
    "bounds",
    [
        {"min": "2030-01-01", "max": "today"},
        {"min": "today", "max": "today"},
        {"min": "today-1d", "max": "today+1d"},
    ],
)
def test_bounds_that_some_day_meets(bounds: dict[str, str]) -> None:
    assert told(form({"id": "x", "type": "date", "validation": bounds})) == []


def test_every_cycle_is_told() -> None:
    def reads(name: str) -> dict[str, Any]:
        return {"default": {"template": f"{{{{fields.{name}}}}}"}}

    text = form(
        {"id": "a", **reads("b")},
        {"id": "b", **reads("a")},
        {"id": "c", **reads("c")},
        {"id": "d", **reads("a")},
    )
    assert sorted(message.partition(": ")[2] for _, message in told(text)) in (
        ["a -> b -> a", "c -> c"],
        ["b -> a -> b", "c -> c"],
    )


@pytest.mark.parametrize(
    "config",
    [
        {"response": {"extract": {"key": "$.id["}}},
        {"response": {"extract": {"key": {"path": "$.id["}}}},
        {"look": {"url": URL, "found": {"path": "$.id["}}},
        {"async": {"until": {"path": "$.id[", "values": ["x"]}}},
    ],
)
def test_a_jsonpath_that_cannot_be_read_is_found(config: dict[str, Any]) -> None:
    wrong = "the JSONPath '$.id[' is not a valid JSONPath: unexpected end of query"
    assert told(call(**config)) == [("action-config", wrong)]


def test_a_jsonpath_that_is_a_template_is_judged_once_it_is_rendered() -> None:
    assert told(call(response={"extract": {"key": "$.{{metadata.id}}"}})) == []


@pytest.mark.parametrize("key", ["select", "value", "label"])
def test_a_jsonpath_of_options_is_judged_as_well(key: str) -> None:
    options = {"from": "http", "url": URL, key: "$.id["}
    wrong = "the JSONPath '$.id[' is not a valid JSONPath: unexpected end of query"
    assert told(form({"id": "x", "type": "select", "options": options})) == [("options", wrong)]


@pytest.mark.parametrize("url", ["ftp://x.example.com", "x.example.com", "//x.example.com", "/x"])
def test_an_address_that_no_action_calls_is_found(url: str) -> None:
    wrong = ("action-config", f"the address {url!r} must begin with https:// or http://")
    assert told(call(endpoint={"url": url})) == [wrong]
    assert told(call(look={"url": url, "found": {"path": "$"}})) == [wrong]


@pytest.mark.parametrize("url", ["HTTPS://x.example.com", "{{env.BASE}}/x", "{{secrets.hook}}"])
def test_an_address_of_the_web_or_of_a_template_is_none_to_tell_of(url: str) -> None:
    assert "action-config" not in dict(told(call(endpoint={"url": url})))


@pytest.mark.parametrize(
    "url", ["{{fields.x}}", "{{ fields.x | lower }}/y", "{{request.data.x}}", "{{outputs.a.body}}"]
)
def test_an_address_that_begins_with_an_encoded_value_is_found(url: str) -> None:
    found = [message for rule, message in told(call(endpoint={"url": url})) if "config" in rule]
    [message] = found
    assert "which is percent-encoded here" in message


@pytest.mark.parametrize("url", ["{{fields.x}}://h.example.com", "{{metadata.id}}/{{fields.x}}"])
def test_an_address_may_begin_with_what_is_not_encoded(url: str) -> None:
    assert "action-config" not in dict(told(call(endpoint={"url": url})))


def test_the_escaping_of_a_body_is_literal() -> None:
    body = {"type": "{{fields.x}}", "contentTemplate": '{"a": "{{fields.x}}"}'}
    wrong = "body.type is a template, but it decides how values are escaped"
    assert ("action-config", wrong) in told(call(body=body))
