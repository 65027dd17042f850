"""Where templates and expressions stand in a form, and what they may not read."""

from typing import Any

import pytest

from catalog.forms.definition import FormDefinition
from catalog.forms.expressions import FormTemplate, Path, form_templates, use_problems

URL = "https://inventory.example.com/{{fields.name}}"
TEAM: dict[str, Any] = {
    "id": "team",
    "type": "string",
    "default": {"template": "{{request.user.id}}"},
    "required": {"when": "fields.name == 'x'"},
}
CALL = {
    "id": "zone",
    "type": "select",
    "options": {
        "from": "http",
        "url": URL,
        "headers": {"X-Key": "{{secrets.key}}", "Accept": "*"},
        "label": "$['{{no template}}']",
    },
}
SIZE = {
    "id": "size",
    "type": "select",
    "options": {"from": "list", "list": "sizes", "where": "row.cores > 1"},
}
PLAIN = {"id": "plain", "type": "select", "options": {"from": "list", "list": "sizes"}}
FORM = FormDefinition.model_validate(
    {
        "groups": [
            {"id": "one", "fields": [{"id": "name", "type": "string"}, TEAM, CALL, SIZE, PLAIN]},
            {"id": "two", "fields": [{"id": "rows", "type": "list", "fields": [
                *({**one, "id": f"row-{one['id']}"} for one in (TEAM, CALL, SIZE))]}]},
        ],
        "rules": [
            {"id": "a", "check": "1 < 2", "message": "No."},
            {"id": "b", "check": "2 < 3", "when": "3 < 4", "message": "No."},
        ],
    }
)  # fmt: skip
FIELDS = {one.id: one for one in FORM.fields}


def test_every_template_of_a_form_is_found_at_its_place() -> None:
    def expected(where: Path, names: tuple[str, str, str], row_of: Any) -> list[FormTemplate]:
        inner = {one.id: one for one in (row_of.fields if row_of else FORM.fields)}
        team, zone, size = ((*where, list(inner).index(name)) for name in names)
        return [
            FormTemplate(
                (*team, "default", "template"),
                "{{request.user.id}}",
                computed=True,
                field=inner[names[0]],
                row_of=row_of,
            ),
            FormTemplate((*team, "required", "when"), "fields.name == 'x'", row_of=row_of),
            *(
                FormTemplate(
                    (*zone, "options", *way), text, computed=True, outgoing=True, row_of=row_of
                )
                for way, text in ((("url",), URL), (("headers", "X-Key"), "{{secrets.key}}"))
            ),
            FormTemplate((*size, "options", "where"), "row.cores > 1", filters=True, row_of=row_of),
        ]

    in_rows = ("row-team", "row-zone", "row-size")
    assert list(form_templates(FORM)) == [
        *expected(("groups", 0, "fields"), ("team", "zone", "size"), None),
        *expected(("groups", 1, "fields", 0, "fields"), in_rows, FIELDS["rows"]),
        FormTemplate(("rules", 0, "check"), "1 < 2"),
        FormTemplate(("rules", 1, "check"), "2 < 3"),
        FormTemplate(("rules", 1, "when"), "3 < 4"),
    ]


UNKNOWN = "only request.user is known when a form is filled in, not "


@pytest.mark.parametrize(
    ("use", "problem"),
    [
        (("fields", "name"), None),
        (("request", "user"), None),
        (("request", "user", "id"), None),
        (("request", "timestamp"), None),
        (("system", "account"), None),
        (("secrets", "key"), "a form is shown to everybody, so it cannot read secrets"),
        (("outputs", "a"), "outputs does not exist yet when a form is filled in"),
        (("fields",), "a form needs to know which fields are read: write fields.<id>"),
        (("fields", "*"), "a form needs to know which fields are read: write fields.<id>"),
        (("request",), f"{UNKNOWN}request"),
        (("request", "status", "x"), f"{UNKNOWN}request.status.x"),
        (("request", "data", "x"), f"{UNKNOWN}request.data: write fields.<id>"),
        (("system",), "system does not exist yet when a form is filled in"),
        (("system", "uuid"), "system.uuid does not exist yet when a form is filled in"),
        (("system", "uuid", "x"), "system.uuid.x does not exist yet when a form is filled in"),
    ],
    ids=lambda value: ".".join(value) if isinstance(value, tuple) else None,
)
def test_what_does_not_exist_yet_is_not_read(use: tuple[str, ...], problem: str | None) -> None:
    told = list(use_problems([use], frozenset()))
    assert told == ([] if problem is None else [problem])


def test_a_call_may_name_secrets_and_its_other_uses_are_judged() -> None:
    uses = [("secrets", "key"), ("outputs", "a")]
    told = list(use_problems(uses, frozenset({"uuid", "random", "upper"}), outgoing=True))
    assert told == [
        "outputs does not exist yet when a form is filled in",
        "random() depends on the request's id, which does not exist yet",
        "uuid() depends on the request's id, which does not exist yet",
    ]
