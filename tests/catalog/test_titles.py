"""What requests are called."""

from typing import Any

import pytest

from catalog.document_kinds import parse_definition
from catalog.planning import snapshot_of
from catalog.testing.dry_run import dry_run
from catalog.testing.samples import Sample
from catalog.titles import MOST_CHARACTERS, title_of
from pao.core.payloads.context import RequestContext, Requester
from tests.support.requests import item

FIELDS = [
    {"id": "token", "type": "password", "required": True, "validation": {"minLength": 12}},
    {"id": "key", "type": "file", "required": True},
    {
        "id": "rows",
        "type": "list",
        "fields": [{"id": "name", "type": "string"}, {"id": "proof", "type": "file"}],
    },
    {"id": "public", "type": "boolean", "required": True},
    {"id": "note", "type": "string"},
    {"id": "stage", "type": "select", "required": True, "enum": [{"value": "p", "label": "Prod"}]},
    {"id": "zones", "type": "multiselect", "required": True, "enum": ["a", "b"]},
    {"id": "host", "type": "string", "required": True},
]
SECRET = "pao:enc:v1:sealed"
FILE = "data:text/plain;base64,c2VjcmV0"
HIDDEN = {"token": SECRET, "key": FILE, "public": True, "rows": [{"name": "a", "proof": FILE}]}


def called(title: str | None = None, **values: Any) -> str:
    document = item()
    document["metadata"] = {**document["metadata"], "name": "Thing"}
    if title is not None:
        document["metadata"]["title"] = title
    document["presentation"] = {"form": {"groups": [{"id": "all", "fields": FIELDS}]}}
    parsed = parse_definition(document)
    context = RequestContext(
        request_id="7b0c6e0a-4e8d-4b53-9f0a-5a1a4d1a7c11",
        correlation_id="7b0c6e0a-4e8d-4b53-9f0a-5a1a4d1a7c11",
        submitted_at="2026-03-05T14:07:09.123Z",
        item=snapshot_of(parsed, document, None),
        requester=Requester(id="dana"),
        fields={**HIDDEN, **values},
    )
    return title_of(parsed, context)


def test_a_title_is_made_of_form_metadata_and_request() -> None:
    title = "{{metadata.name}} {{ fields.host | upper }} for {{request.user.id}}"
    assert called(title, host="db") == "Thing DB for dana"
    assert called("{% if fields.note %}{{fields.note}}{% else %}plain{% endif %}") == "plain"


def test_without_a_title_the_first_required_value_is_shown_as_the_form_shows_it() -> None:
    assert called(note="x", stage="p", host="db") == "Prod"
    assert called(zones=["a", "b"], host="db") == "a, b"
    assert called(zones=[], host="db") == "db"
    assert called(note="x") == "Thing"
    assert called(host="") == "Thing"


@pytest.mark.parametrize(
    "title",
    [
        "{{fields.token}}",
        "{{fields.key}}",
        "{{json fields}}",
        "{{request.data.token}}",
        "{{json fields.rows}}",
    ],
)
def test_a_title_shows_no_password_and_no_file_whatever_it_says(title: str) -> None:
    shown = called(title, host="db")
    assert "sealed" not in shown
    assert "c2VjcmV0" not in shown


@pytest.mark.parametrize(
    "title",
    [
        "{{outputs.a.key}}",
        "{{secrets.token}}",
        "{{fields.note.x.y}}",
        "{{",
        "  ",
        "{{fields.note}}",
    ],
)
def test_a_title_that_fails_or_says_nothing_never_stops_a_request(title: str) -> None:
    assert called(title, host="db") == "db"


def test_a_title_is_one_short_line_of_plain_characters() -> None:
    assert called(host="a\n\tb  c\r\nd") == "a b c d"
    assert called(host="a\x1b[31mb\u202ec\x00d\u200be") == "a[31mbcde"
    long = called(host="x" * 500)
    assert len(long) == MOST_CHARACTERS
    assert long.endswith("\N{HORIZONTAL ELLIPSIS}")
    assert called(host="\u202e") == "Thing"


def test_a_dry_run_on_this_machine_says_the_title_too() -> None:
    document = item()
    document["metadata"] = {**document["metadata"], "title": "{{fields.title}} of {{fields.size}}"}
    sample = Sample(fields={"title": "orders", "size": 3})
    found = dry_run(parse_definition(document), document, sample, known_actions={})
    assert (found.works, found.title) == (True, "orders of 3")
