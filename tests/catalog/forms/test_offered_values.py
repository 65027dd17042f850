"""Values of fields whose choices come from elsewhere, by the answers that were given."""

from datetime import date
from typing import Any

import pytest

from catalog.forms import Form, FormContext, FormError, OfferedChoices
from catalog.forms.definition import Choice
from catalog.forms.expressions import row_keys
from catalog.forms.options import HttpOptions

TODAY = date(2026, 3, 5)
Document = dict[str, Any]
ENV = {"id": "env", "type": "string"}
URL = "https://inventory.example.com/clusters?env={{fields.env}}"
CLUSTER = {"id": "cluster", "type": "select", "options": {"from": "http", "url": URL}}
TWO = OfferedChoices((Choice(value="a", label="A"), Choice(value=2, label="Two")))


def form(*fields: Document) -> Form:
    fields = fields if any(one["id"] == "env" for one in fields) else (*fields, ENV)
    return Form.from_mapping({"groups": [{"id": "g", "fields": list(fields)}]})


def told(judge: Form, values: Document, **answers: Any) -> list[tuple[str, str]]:
    found = judge.validate(values, TODAY, FormContext(**answers))
    return [(one.field, one.constraint) for one in found.errors]


def test_a_value_is_compared_with_what_is_offered() -> None:
    judge = form(CLUSTER)
    assert told(judge, {"cluster": "a"}, offered={"cluster": TWO}) == []
    assert told(judge, {"cluster": "2"}, offered={"cluster": TWO}) == [("cluster", "enum")]
    assert told(judge, {"cluster": {"a": 1}}, offered={"cluster": TWO}) == [("cluster", "type")]


def test_several_values_are_compared_each() -> None:
    judge = form(CLUSTER | {"type": "multiselect"})
    assert told(judge, {"cluster": ["a", 2]}, offered={"cluster": TWO}) == []
    assert told(judge, {"cluster": ["a", "b"]}, offered={"cluster": TWO}) == [("cluster", "enum")]


def test_without_an_answer_only_the_kind_of_value_is_judged() -> None:
    assert told(form(CLUSTER), {"cluster": "anything"}) == []
    assert told(form(CLUSTER), {"cluster": []}) == [("cluster", "type")]


def test_a_source_that_is_away_refuses_unless_it_is_lenient() -> None:
    away, lenient = (
        OfferedChoices(problem="It is away."),
        OfferedChoices(problem="It is away.", lenient=True),
    )
    assert told(form(CLUSTER), {"cluster": "a"}, offered={"cluster": away}) == [
        ("cluster", "options")
    ]
    assert told(form(CLUSTER), {"cluster": "a"}, offered={"cluster": lenient}) == []


def test_what_has_to_be_asked_names_its_field_and_what_it_reads() -> None:
    rows = {"id": "places", "type": "list", "fields": [CLUSTER | {"id": "zone"}]}
    judge = form(ENV, CLUSTER, rows)
    asked = judge.questions({"env": "test", "places": [{"zone": "z"}, {}]}, TODAY)
    assert [(one.path, one.value, dict(one.inputs)) for one in asked] == [
        ("cluster", None, {"env": "test"}),
        ("places[0].zone", "z", {"env": "test"}),
        ("places[1].zone", None, {"env": "test"}),
    ]


def test_a_question_reads_the_day_and_who_asks_and_a_hidden_field_asks_nothing() -> None:
    hidden = {"dependsOn": "env", "condition": "equals", "value": "other"}
    env = ENV | {"default": {"template": "{{fields.day}} {{request.user.id}}"}}
    judge = form(
        CLUSTER | {"id": "hidden", "conditional": hidden},
        CLUSTER,
        {"id": "owner", "type": "user"},
        {"id": "day", "type": "date", "default": "today"},
        env,
    )
    about = FormContext(scopes={"request": {"user": {"id": "dana"}}})
    asked = judge.questions({}, TODAY, about)
    assert [(one.path, dict(one.inputs)) for one in asked] == [
        ("cluster", {"env": "2026-03-05 dana"}),
        ("owner", {}),
    ]


def test_a_value_in_a_row_is_compared_with_what_is_offered_there() -> None:
    judge = form({"id": "places", "type": "list", "fields": [CLUSTER]})
    values = {"places": [{"cluster": "b"}, {"cluster": "b"}]}
    assert told(judge, values, offered={"places[1].cluster": TWO}) == [
        ("places[1].cluster", "enum")
    ]


def test_two_fields_whose_options_depend_on_each_other_are_refused() -> None:
    other = {
        "id": "env",
        "type": "select",
        "options": {"from": "http", "url": "https://a.example/{{fields.cluster}}"},
    }
    with pytest.raises(FormError, match="depend on each other in a cycle"):
        form(CLUSTER, other)


@pytest.mark.parametrize("text", ["{{fields.token}}", "{{outputs.x.y}}", "{{request.id}}"])
def test_a_call_for_options_reads_neither_passwords_nor_a_request(text: str) -> None:
    token = {"id": "token", "type": "password"}
    options = {"from": "http", "url": f"https://a.example/?x={text}"}
    with pytest.raises(FormError):
        form(token, CLUSTER | {"options": options})


def test_a_call_for_options_may_name_secrets_of_the_operator() -> None:
    options = {"from": "http", "url": URL, "headers": {"X-Key": "{{secrets.key}}"}}
    assert form(ENV, CLUSTER | {"options": options}).depends_on("cluster") == ("env",)


def test_a_condition_of_a_list_keeps_rows_and_drops_what_it_cannot_judge() -> None:
    options = {"from": "list", "list": "sizes", "where": "{{row.cores > fields.least}}"}
    judge = form({"id": "least", "type": "integer"}, CLUSTER | {"options": options})
    (question,) = judge.questions({"least": 4, "cluster": "x"}, TODAY)
    rows: list[Document] = [{"value": "s", "cores": 2}, {"value": "m", "cores": 8}, {"value": "x"}]
    assert judge.offered_rows(question, rows, FormContext()) == [{"value": "m", "cores": 8}]


def test_a_list_without_a_condition_offers_all_rows() -> None:
    judge = form(CLUSTER | {"options": {"from": "list", "list": "sizes"}})
    (question,) = judge.questions({}, TODAY)
    rows: list[Document] = [{"value": "s"}, {"value": "m"}]
    assert judge.offered_rows(question, iter(rows), FormContext()) == rows


def test_choices_in_a_row_depend_on_fields_of_the_row_and_of_the_form() -> None:
    where = "row.kind == fields.kind and row.env == fields.env"
    options = {"from": "list", "list": "sizes", "where": where}
    kind = {"id": "kind", "type": "string"}
    judge = form(
        ENV, {"id": "places", "type": "list", "fields": [kind, {**CLUSTER, "options": options}]}
    )
    assert judge.depends_on("places.cluster") == ("kind", "env")
    assert [judge.depends_on(way) for way in ("places", "places.kind", "no.cluster")] == [None] * 3
    (question,) = judge.questions({"env": "test", "places": [{"kind": "a"}]}, TODAY)
    rows: list[Document] = [
        {"value": f"{env}-{name}", "env": env, "kind": name}
        for env in ("test", "prod")
        for name in ("a", "b")
    ]
    offered = judge.offered_rows(question, rows, FormContext())
    assert [one["value"] for one in offered] == ["test-a"]


@pytest.mark.parametrize(
    ("where", "keys"),
    [
        ("row.cores > fields.env and row.memory == row.cores", {"cores", "memory"}),
        ("row.labels.zone == 'a'", {"labels"}),
        ("len(row) > 1", set()),
        ("row[fields.env] == row.cores", {"cores"}),
        ("row.cores >", set()),
        (None, set()),
    ],
)
def test_the_keys_of_rows_that_a_condition_reads(where: str | None, keys: set[str]) -> None:
    assert row_keys(form(ENV).definition, where) == keys


def test_whether_choices_depend_on_who_asks() -> None:
    options = {"from": "http", "url": "https://a.example/?user={{request.user.id}}"}
    for one, depends in ((CLUSTER, False), (CLUSTER | {"options": options}, True)):
        judge = form(ENV, one)
        (question,) = judge.questions({}, TODAY)
        assert judge.options_read_user(question) is depends


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://h.example.com/a?b=c", "h.example.com"),
        ("HTTP://h.example.com:8443#x", "h.example.com:8443"),
        ("https://svc:{{secrets/p}}@h.example.com/", "h.example.com"),
        ("https://svc:hun?ter2@h.example.com/a", "h.example.com"),
        ("https://svc:hun/ter2@h.example.com", "h.example.com"),
        ("https://svc:12?ter2@h.example.com", "svc"),
        ("https://a@b:hun#ter2@h.example.com", "h.example.com"),
        ("https://h.example.com?mail=ops@example.com", "h.example.com"),
        ("https://h.example.com:8443/?mail=ops@example.com", "h.example.com"),
        (
            "https://{{fields.env | default('a/b')}}.example.com/x",
            "{{fields.env | default('a/b')}}.example.com",
        ),
        ("https://h.example.com:{{fields.port}}/x", "h.example.com:{{fields.port}}"),
    ],
)
def test_the_host_of_a_source_shows_nothing_of_a_password(url: str, host: str) -> None:
    assert HttpOptions.model_validate({"from": "http", "url": url}).host == host
