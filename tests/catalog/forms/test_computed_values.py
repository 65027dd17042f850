"""Computed defaults, conditional required, fixed values, and rules over several fields."""

from datetime import date
from typing import Any

import pytest

from catalog.forms import FieldError, Form, FormContext, FormError

TODAY = date(2026, 3, 5)
ABOUT = FormContext(
    scopes={
        "request": {
            "user": {"id": "dana", "email": "dana@example.com", "teams": ["team-orders"]},
            "timestamp": "2026-03-05T10:00:00Z",
        },
        "system": {"account": "123", "environment": "test"},
        "metadata": {"prefix": "db"},
        "environment": {"CLUSTER": "east"},
    }
)
Document = dict[str, Any]


def form(*fields: Document, rules: list[Document] | None = None) -> Form:
    return Form.from_mapping(
        {"groups": [{"id": "basic", "fields": list(fields)}], "rules": rules or []}
    )


def told(judge: Form, values: Document) -> list[tuple[str, str]]:
    return [(e.field, e.constraint) for e in judge.validate(values, TODAY, ABOUT).errors]


OWNER = {"id": "owner", "type": "team", "required": True}
APP = {"id": "app", "type": "string", "required": True}
NAME: Document = {
    "id": "name",
    "type": "string",
    "default": {"template": "{{fields.owner}}-{{fields.app}}"},
    "validation": {"pattern": "^[a-z-]+$"},
}


def test_a_computed_default_is_made_of_the_other_fields_and_says_so() -> None:
    result = form(NAME, OWNER, APP).validate({"owner": "team-a", "app": "shop"}, TODAY, ABOUT)
    assert result.valid
    assert result.values == {"name": "team-a-shop", "owner": "team-a", "app": "shop"}
    assert result.computed == ("name",)


def test_what_the_caller_sends_is_taken_in_place_of_a_computed_default() -> None:
    sent = {"owner": "team-a", "app": "shop", "name": "other"}
    result = form(NAME, OWNER, APP).validate(sent, TODAY, ABOUT)
    assert (result.values["name"], result.computed) == ("other", ())


def test_what_is_computed_from_a_wrong_value_is_not_reported_as_well() -> None:
    assert told(form(NAME, OWNER, APP), {"app": "SHOP"}) == [("owner", "required")]
    number = {"type": "integer", "required": True}
    double = {"id": "f", **number, "default": {"template": "{{fields.n * 2}}"}}
    judge = form({"id": "n", **number}, double)
    assert told(judge, {"n": "x"}) == [("n", "type")]
    assert told(judge, {}) == [("n", "required")]
    assert told(judge, {"n": "x", "f": "y"}) == [("n", "type"), ("f", "type")]


def test_a_computed_default_is_judged_like_a_value() -> None:
    assert told(form(NAME, OWNER, APP), {"owner": "a", "app": "SHOP"}) == [("name", "pattern")]


@pytest.mark.parametrize(
    ("kind", "template", "value"),
    [
        ("string", "{{metadata.prefix}}-{{request.user.id}}", "db-dana"),
        ("string", "{{system.account}}/{{env.CLUSTER}}", "123/east"),
        ("integer", "{{fields.n + 1}}", 3),
        ("boolean", "{{fields.n > 1}}", True),
        ("multiselect", "{{request.user.teams}}", ["team-orders"]),
        ("string", "{{.User.basic_n}}", "2"),
        ("string", "{{date('%Y')}}", "2026"),
    ],
)
def test_a_computed_default_keeps_the_type_of_its_value(
    kind: str, template: str, value: Any
) -> None:
    field = {"id": "f", "type": kind, "default": {"template": template}}
    if template == "{{.User.basic_n}}":
        field["default"] = {"template": "n {{.User.basic_n}}"}
        value = "n 2"
    result = form({"id": "n", "type": "integer"}, field).validate({"n": 2}, TODAY, ABOUT)
    assert result.values["f"] == value


def test_an_empty_computed_default_is_no_value() -> None:
    field = {"id": "f", "type": "string", "required": True, "default": {"template": "{{fields.n}}"}}
    judge = form({"id": "n", "type": "string"}, field)
    assert told(judge, {}) == [("f", "required")]
    result = judge.validate({"n": ""}, TODAY)
    assert ("f" in result.values, result.computed) == (False, ())


def test_a_computed_default_that_fails_says_why() -> None:
    field = {"id": "f", "type": "integer", "default": {"template": "{{int(fields.n)}}"}}
    judge = form({"id": "n", "type": "string"}, field)
    (error,) = judge.validate({"n": "many"}, TODAY, ABOUT).errors
    assert (error.field, error.constraint) == ("f", "computed")
    assert "cannot be computed" in error.message
    assert judge.validate({}, TODAY, ABOUT).valid


def test_a_hidden_field_is_not_computed() -> None:
    condition = {"dependsOn": "n", "condition": "exists"}
    field = {"id": "f", "type": "string", "default": {"template": "x"}, "conditional": condition}
    judge = form({"id": "n", "type": "string"}, field)
    assert judge.validate({}, TODAY).values == {}
    assert judge.validate({"n": "a"}, TODAY).values == {"n": "a", "f": "x"}


def test_a_condition_sees_a_computed_default() -> None:
    condition = {"dependsOn": "name", "condition": "equals", "value": "team-a-shop"}
    extra = {"id": "extra", "type": "string", "conditional": condition}
    visible = form(extra, NAME, OWNER, APP).validate({"owner": "team-a", "app": "shop"}, TODAY)
    assert "extra" in visible.visible


def test_the_default_of_a_json_field_is_a_value_even_if_it_looks_like_a_template() -> None:
    field = {"id": "f", "type": "json", "default": {"template": "{{x}}"}}
    assert form(field).validate({}, TODAY).values == {"f": {"template": "{{x}}"}}


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{{fields.secret}}", "would show the password 'secret'"),
        ("{{secrets.token}}", "cannot read secrets"),
        ("{{outputs.a.b}}", "outputs.a does not exist"),
        ("{{json fields}}", "write fields.<id>"),
        ("{{request.id}}", "only request.user is known"),
        ("{{uuid()}}", "depends on the request's id"),
        ("{{random 1 5}}", "depends on the request's id"),
        ("{{system.uuid}}", "does not exist yet"),
        ("{{fields.nothing}}", "nothing"),
        ("{{fields.f}}", "cycle: f -> f"),
        ("{{", "1:1"),
    ],
)
def test_a_form_refuses_a_template_that_reads_what_is_not_known(template: str, says: str) -> None:
    password = {"id": "secret", "type": "password"}
    with pytest.raises(FormError) as caught:
        form(password, {"id": "f", "type": "string", "default": {"template": template}})
    assert says in str(caught.value)


def test_two_fields_that_are_computed_from_each_other_are_refused_and_named() -> None:
    def computed(name: str, other: str) -> Document:
        template = {"template": f"{{{{fields.{other}}}}}-x"}
        return {"id": name, "type": "string", "default": template}

    with pytest.raises(
        FormError, match=r"depend on each other in a cycle: (a -> b -> a|b -> a -> b)"
    ):
        form(computed("a", "b"), computed("b", "a"))


def test_a_computed_default_and_a_condition_can_form_a_cycle() -> None:
    condition = {"dependsOn": "b", "condition": "exists"}
    a = {"id": "a", "type": "string", "conditional": condition}
    with pytest.raises(FormError, match="cycle"):
        form(a, {"id": "b", "type": "string", "default": {"template": "{{fields.a}}"}})


def test_a_field_is_required_while_its_expression_is_true() -> None:
    reason = {"id": "why", "type": "textarea", "required": {"when": "{{fields.env == 'prod'}}"}}
    judge = form({"id": "env", "type": "string"}, reason)
    assert told(judge, {"env": "prod"}) == [("why", "required")]
    assert told(judge, {"env": "prod", "why": ""}) == [("why", "required")]
    assert judge.validate({"env": "prod", "why": "x"}, TODAY).required == ("why",)
    assert judge.validate({"env": "test"}, TODAY).required == ()
    assert told(judge, {}) == []


def test_an_expression_over_a_missing_or_wrong_value_requires_nothing() -> None:
    reason = {"id": "why", "type": "string", "required": {"when": "fields.n > 5"}}
    judge = form({"id": "n", "type": "integer"}, reason)
    assert told(judge, {}) == []
    assert told(judge, {"n": "six"}) == [("n", "type")]
    assert told(judge, {"n": 6}) == [("why", "required")]


def test_an_expression_that_fails_over_good_values_says_so() -> None:
    reason = {"id": "why", "type": "string", "required": {"when": "int(fields.n) > 5"}}
    judge = form({"id": "n", "type": "string"}, reason)
    [error] = judge.validate({"n": "many"}, TODAY).errors
    assert (error.field, error.constraint, error.received) == ("why", "required", None)
    assert error.message.startswith("Why may be required, but that cannot be determined: ")
    assert told(judge, {"n": "6"}) == [("why", "required")]


def test_of_two_fields_each_can_be_required_without_the_other() -> None:
    def either(name: str, other: str) -> Document:
        return {"id": name, "type": "string", "required": {"when": f"not fields.{other}"}}

    judge = form(either("mail", "phone"), either("phone", "mail"))
    assert told(judge, {}) == [("mail", "required"), ("phone", "required")]
    assert told(judge, {"mail": "x"}) == []


def test_a_read_only_field_has_its_default_and_refuses_another_value() -> None:
    field = {"id": "account", "type": "string", "readOnly": True}
    judge = form({**field, "default": {"template": "{{system.account}}"}})
    assert judge.validate({}, TODAY, ABOUT).values == {"account": "123"}
    assert told(judge, {"account": "123"}) == []
    assert told(judge, {"account": "999"}) == [("account", "readOnly")]
    assert form({**field, "default": "x"}).validate({"account": "y"}, TODAY).errors == (
        FieldError("account", "readOnly", "Account cannot be changed; leave it out", "y"),
    )


@pytest.mark.parametrize("value", [None, False])
def test_terms_must_be_accepted(value: Any) -> None:
    judge = form({"id": "terms", "type": "boolean", "mustBe": True})
    constraint = "required" if value is None else "mustBe"
    assert told(judge, {"terms": value}) == [("terms", constraint)]
    assert told(judge, {"terms": True}) == []


LEVELS = [{"id": "warn", "type": "number"}, {"id": "critical", "type": "number"}]
ORDER: Document = {
    "id": "warn-first",
    "check": "{{fields.warn < fields.critical}}",
    "fields": ["warn", "critical"],
    "message": "The warning must come before the critical value.",
}


def test_a_rule_over_fields_is_shown_at_each_of_them() -> None:
    judge = form(*LEVELS, rules=[ORDER])
    result = judge.validate({"warn": 9, "critical": 5}, TODAY)
    assert result.errors == (
        FieldError("warn", "rule:warn-first", ORDER["message"]),
        FieldError("critical", "rule:warn-first", ORDER["message"]),
    )
    assert told(judge, {"warn": 1, "critical": 5}) == []


def test_a_rule_waits_until_the_fields_that_it_reads_are_there_and_right() -> None:
    judge = form(*LEVELS, rules=[ORDER])
    assert told(judge, {"warn": 9}) == []
    assert told(judge, {"warn": 9, "critical": "x"}) == [("critical", "type")]
    positive = {"id": "positive", "check": "fields.warn > 0", "message": "No."}
    both = form(*LEVELS, rules=[ORDER, positive])
    assert told(both, {"warn": -9, "critical": "x"}) == [
        ("critical", "type"),
        ("warn", "rule:positive"),
    ]


def test_a_rule_that_fails_over_good_values_says_why() -> None:
    rule = {"id": "whole", "check": "int(.User.basic_n) > fields.least", "message": "Too small."}
    judge = form({"id": "n", "type": "string"}, {"id": "least", "type": "integer"}, rules=[rule])
    assert told(judge, {"n": "3", "least": 2}) == []
    first, second = judge.validate({"n": "many", "least": 2}, TODAY).errors
    assert (first.field, second.field, first.constraint) == ("n", "least", "rule:whole")
    assert first.message.startswith("the rule whole cannot be checked: ")
    assert told(judge, {"n": "many"}) == []


def test_a_rule_applies_while_its_when_is_true() -> None:
    alarms = {"id": "alarms", "type": "boolean"}
    judge = form(alarms, *LEVELS, rules=[ORDER | {"when": "fields.alarms"}])
    wrong = {"warn": 9, "critical": 5}
    assert told(judge, wrong) == []
    assert told(judge, wrong | {"alarms": True}) == [
        ("warn", "rule:warn-first"),
        ("critical", "rule:warn-first"),
    ]


def test_a_warning_refuses_nothing() -> None:
    result = form(*LEVELS, rules=[ORDER | {"severity": "warning", "fields": ["warn"]}]).validate(
        {"warn": 9, "critical": 5}, TODAY
    )
    assert result.valid
    assert [one.constraint for one in result.warnings] == ["rule:warn-first"]


def test_a_rule_without_fields_is_shown_at_those_that_it_reads() -> None:
    rule = {key: value for key, value in ORDER.items() if key != "fields"}
    assert told(form(*LEVELS, rules=[rule]), {"warn": 9, "critical": 5}) == [
        ("warn", "rule:warn-first"),
        ("critical", "rule:warn-first"),
    ]


def test_a_rule_may_compare_passwords_and_shows_neither() -> None:
    fields = [{"id": name, "type": "password"} for name in ("first", "second")]
    rule = {"id": "same", "check": "fields.first == fields.second", "message": "Not the same."}
    result = form(*fields, rules=[rule]).validate({"first": "hunter22", "second": "x"}, TODAY)
    assert [e.constraint for e in result.errors] == ["rule:same", "rule:same"]
    assert "hunter22" not in str(result.errors)


def test_a_rule_about_an_unknown_field_is_refused() -> None:
    with pytest.raises(FormError, match="warning-first"):
        form(*LEVELS, rules=[ORDER | {"id": "warning-first", "fields": ["wran"]}])
    with pytest.raises(FormError, match=r"the rule 'warn-first': .*nothing"):
        form(*LEVELS, rules=[ORDER | {"check": "fields.nothing > 1"}])
    with pytest.raises(FormError, match="the rule 'warn-first': random"):
        form(*LEVELS, rules=[ORDER | {"check": "random(1, 5) > fields.warn"}])


def test_kept_values_without_what_the_form_gives_by_itself() -> None:
    account = {"id": "account", "type": "string", "readOnly": True, "default": "1"}
    judge = form(NAME, OWNER, APP, account)
    values = judge.validate({"owner": "team-a", "app": "shop"}, TODAY).values
    assert judge.without_computed(values, TODAY) == {"owner": "team-a", "app": "shop"}
    changed = {**values, "name": "mine"}
    assert judge.without_computed(changed, TODAY)["name"] == "mine"


def test_rows_are_kept_without_what_the_form_gives_by_itself() -> None:
    day = {"id": "day", "type": "date", "default": "today"}
    note = {"id": "note", "type": "string", "default": {"template": "{{fields.day}}"}}
    label = {
        "id": "label",
        "type": "string",
        "default": {"template": "{{fields.owner}}-{{fields.part}}-{{request.user.id}}"},
    }
    fixed = {"id": "fixed", "type": "string", "readOnly": True, "default": "1"}
    parts = {"id": "parts", "type": "list", "fields": [{"id": "part", "type": "string"}, label]}
    judge = form(day, note, OWNER, fixed, parts)
    values = judge.validate({"owner": "a", "parts": [{"part": "x"}]}, TODAY, ABOUT).values
    assert values["parts"] == [{"part": "x", "label": "a-x-dana"}]
    assert judge.without_computed({**values, "other": 1}, TODAY, ABOUT) == {
        "day": "2026-03-05",
        "owner": "a",
        "parts": [{"part": "x"}],
        "other": 1,
    }
    assert judge.without_computed({"note": "2026-03-05"}, TODAY, ABOUT) == {}
    changed = {**values, "note": "mine", "parts": [{"part": "y", "label": "a-x-dana"}, "no row"]}
    left = judge.without_computed(changed, TODAY, ABOUT)
    assert (left["note"], left["parts"]) == ("mine", changed["parts"])


def test_a_value_is_kept_where_its_default_cannot_be_computed() -> None:
    number = {"id": "f", "type": "integer", "default": {"template": "{{int(fields.n)}}"}}
    judge = form({"id": "n", "type": "string"}, number)
    assert judge.without_computed({"n": "many", "f": 3}, TODAY) == {"n": "many", "f": 3}


def test_the_drawn_form_says_what_is_computed_required_and_fixed() -> None:
    why = {"id": "why", "type": "string", "required": {"when": "fields.app == 'x'"}}
    terms = {"id": "terms", "type": "boolean", "mustBe": True}
    fixed = {"id": "fixed", "type": "string", "readOnly": True, "default": "x"}
    judge = form(NAME, OWNER, APP, why, terms, fixed, *LEVELS, rules=[ORDER])
    drawn = {one["id"]: one for one in judge.ui_schema()["groups"][0]["fields"]}
    assert drawn["name"]["defaultTemplate"] == "{{fields.owner}}-{{fields.app}}"
    assert drawn["name"]["default"] is None
    assert (drawn["why"]["required"], drawn["why"]["requiredWhen"]) == (False, "fields.app == 'x'")
    assert (drawn["terms"]["mustBe"], drawn["terms"]["required"]) == (True, True)
    assert drawn["fixed"]["readOnly"] is True
    assert judge.ui_schema()["rules"] == [{**ORDER, "severity": "error"}]
    schema = judge.json_schema()
    assert schema["properties"]["name"]["x-pao-default"] == {
        "template": NAME["default"]["template"]
    }
    assert schema["properties"]["terms"]["const"] is True
    assert schema["required"] == ["owner", "app", "terms"]
    assert schema["x-pao-rules"][0]["id"] == "warn-first"
