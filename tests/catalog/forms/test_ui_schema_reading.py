"""A form that was drawn for a client can be read back, and judges the same."""

import json
from datetime import date
from typing import Any

import pytest

from catalog.forms import FieldType, Form
from catalog.forms.ui_schema import read_ui_schema
from tests.catalog.forms.test_form_vectors import cases

TODAY = date(2026, 3, 5)
RICH: dict[str, Any] = {
    "layout": "wizard",
    "groups": [
        {
            "id": "g",
            "name": "Alarms",
            "description": "When to wake whom.",
            "fields": [
                {"id": "owner", "type": "string", "required": True},
                {"id": "app", "type": "string", "default": {"template": "{{fields.owner}}-app"}},
                {
                    "id": "reason",
                    "type": "textarea",
                    "required": {"when": "{{fields.owner == 'x'}}"},
                },
                {"id": "terms", "type": "boolean", "mustBe": True},
                {"id": "fixed", "type": "string", "readOnly": True, "default": "a"},
                {"id": "warn", "type": "integer", "validation": {"min": 1, "message": "Too low"}},
                {"id": "critical", "type": "integer"},
                {"id": "team", "type": "select", "options": {"from": "teams"}},
                {
                    "id": "cluster",
                    "type": "multiselect",
                    "options": {
                        "from": "http",
                        "url": "https://inventory.example.com/{{fields.owner}}",
                        "headers": {"X-Key": "{{secrets.inventory}}"},
                        "whenAway": "allow",
                    },
                },
                {
                    "id": "size",
                    "type": "select",
                    "options": {
                        "from": "list",
                        "list": "sizes",
                        "where": "{{row.owner == fields.owner and row.app == fields.app}}",
                    },
                },
                {
                    "id": "database",
                    "type": "select",
                    "options": {"from": "resources", "type": "postgresql-database"},
                },
                {
                    "id": "ports",
                    "type": "list",
                    "minItems": 1,
                    "uniqueBy": ["port"],
                    "fields": [{"id": "port", "type": "integer", "required": True}],
                },
            ],
        }
    ],
    "rules": [
        {"id": "order", "check": "{{fields.warn < fields.critical}}", "message": "Warn first."}
    ],
}


def read_back(form: Form) -> Form:
    return Form(read_ui_schema(json.loads(json.dumps(form.ui_schema()))))


@pytest.mark.parametrize("case", list(cases()))
def test_a_form_that_is_read_back_judges_the_same(case: dict[str, Any]) -> None:
    form = Form.from_mapping(case["form"])
    again = read_back(form)
    hidden = {
        field.id
        for field in form.fields.values()
        if field.type is FieldType.PASSWORD and field.default is not None
    }
    told, told_again = (one.validate(case["values"], TODAY) for one in (form, again))

    assert told_again.visible == told.visible
    if not hidden:
        assert told_again == told


def test_everything_that_a_form_may_have_is_read_back() -> None:
    form = Form.from_mapping(RICH)
    again = read_back(form)

    assert again.ui_schema() == form.ui_schema()
    for values in (
        {"owner": "x", "terms": False, "ports": []},
        {
            "owner": "y",
            "terms": True,
            "ports": [{"port": 1}, {"port": 1}],
            "warn": 3,
            "critical": 2,
        },
        {"owner": "y", "terms": True, "ports": [{"port": 1}], "fixed": "b", "warn": 0},
    ):
        assert again.validate(values, TODAY) == form.validate(values, TODAY)


def test_what_a_newer_service_draws_is_passed_over() -> None:
    field = {
        "id": "a",
        "type": "colour",
        "glow": 3,
        "options": {"from": "stars"},
        "validation": {"hue": 1, "maxLength": 2},
    }
    form = Form(
        read_ui_schema(
            {"layout": "single-page", "new": 1, "groups": [{"id": "g", "fields": [field]}]}
        )
    )

    assert form.fields["a"].type is FieldType.STRING
    assert not form.validate({"a": "red"}, TODAY).valid
