"""What a review says of calls, and a request as something to hand on. Pure."""

import json
import shlex
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from api.requests.schemas import RenderedAction
from api.web.line_diff import diff_lines
from api.web.pages.request_form.calls import ActionView, action_view
from api.web.pages.request_form.copies import copies_of, has_secrets
from catalog.forms import Form
from pao.core.payloads.files import FilesAnswer


def describe(
    kind: str, config: dict[str, Any], present: FilesAnswer | None = None, **more: Any
) -> ActionView:
    usual = {
        "id": "one",
        "index": 0,
        "name": "One",
        "complete": True,
        "depends_on": [],
        "when": None,
        "runs": True,
        "timeout": None,
        "slow": False,
        "fallback": False,
    }
    action = RenderedAction(type=kind, config=config, **(usual | more))
    return action_view(action, present=present)


def test_a_ticket_is_shown_as_a_ticket() -> None:
    ticket = {
        "project": "DB",
        "issueType": "Task",
        "summaryTemplate": "PostgreSQL orders",
        "descriptionTemplate": "h2. Please\nsoon",
        "labels": ["a", "b"],
        "customFields": {"customfield_1": 7},
    }
    call = describe("jira-ticket", {"ticket": ticket, "waitFor": "resolved"})
    assert call.line == "PostgreSQL orders"
    assert call.rows == [
        ("Project", "DB"),
        ("Type", "Task"),
        ("Labels", "a, b"),
        ("customfield_1", "7"),
        ("Then", "waits until the ticket is resolved"),
    ]
    assert [(one.title, one.text) for one in call.blocks] == [("Text", "h2. Please\nsoon")]


def test_a_call_is_shown_as_method_address_and_body() -> None:
    call = describe(
        "rest-api",
        {
            "endpoint": {"url": "https://dns.example.com/records", "method": "PUT"},
            "headers": {"X-Team": "a"},
            "body": {"type": "json", "contentTemplate": {"host": "a"}},
            "expectedStatus": [200],
        },
        when="fields.public",
        runs=None,
        complete=False,
    )
    assert call.line == "PUT https://dns.example.com/records"
    assert call.about == "Call, only when fields.public, filled in when earlier steps are done"
    assert call.rows == [("X-Team", "a"), ("expectedStatus", "[200]")]
    assert call.blocks[0].text == '{\n  "host": "a"\n}'


def test_a_commit_is_shown_as_the_lines_that_it_adds() -> None:
    files = [
        {"path": "a.yaml", "contentTemplate": "x: 1\ny: 2"},
        {"path": "b", "operation": "delete"},
    ]
    call = describe("git-commit", {"repository": "o/r", "commitMessage": "Add a", "files": files})
    assert call.line == "Add a"
    assert [(one.title, one.lines) for one in call.blocks] == [
        ("a.yaml: a new file, which must not exist yet", (("added", "+x: 1"), ("added", "+y: 2"))),
        ("b: removed", ()),
    ]


def test_a_commit_is_shown_as_what_it_changes_once_that_was_read() -> None:
    files = [
        {"path": "kept", "operation": "update", "contentTemplate": "a\nb\n"},
        {"path": "same", "operation": "update", "contentTemplate": "a\n"},
        {"path": "gone", "operation": "delete"},
        {"path": "missing", "operation": "update", "contentTemplate": "a\n"},
        {"path": "there", "contentTemplate": "a\n"},
        {"path": "large", "operation": "update", "contentTemplate": "a\n"},
        {"path": "image", "encoding": "base64", "contentTemplate": "aGk="},
    ]
    texts = {"kept": "a\nc\n", "same": "a\n", "gone": "x\n", "missing": None, "there": "z\n"}
    present = FilesAnswer(texts, unread=["large"])
    call = describe("git-commit", {"commitMessage": "Change", "files": files}, present=present)
    assert {one.title.partition(":")[0]: (one.lines, one.warning) for one in call.blocks} == {
        "kept": (
            (("place", "@@ -1,2 +1,2 @@"), ("same", " a"), ("removed", "-c"), ("added", "+b")),
            "",
        ),
        "same": ((), "It already has this content."),
        "gone": ((("place", "@@ -1 +0,0 @@"), ("removed", "-x")), ""),
        "missing": ((("added", "+a"),), "There is no such file, so this step would fail."),
        "there": ((("added", "+a"),), "It already exists, so this step would fail."),
        "large": (
            (("added", "+a"),),
            "Its current content is not shown: it is too large, or not text.",
        ),
        "image": ((), ""),
    }
    away = describe("git-commit", {"files": files}, present=FilesAnswer(problem="GitHub is away."))
    assert away.trouble == "The current file contents could not be read: GitHub is away."
    assert [one.warning for one in away.blocks] == [""] * 7


@pytest.mark.parametrize(
    ("execution", "words"),
    [
        ({"planOnly": True}, "nothing: it is only planned; the request shows what would change"),
        ({"approvedPlan": {"x": 1}}, "what was planned before and nothing else"),
        ({"destroy": True}, "everything in the workspace is destroyed"),
        (None, "is planned first; the request shows what was added, changed and destroyed"),
    ],
)
def test_a_terraform_run_says_what_it_changes(execution: dict[str, Any] | None, words: str) -> None:
    config = {"source": {"git": "https://g/m"}, "execution": execution, "variables": {"size": 3}}
    call = describe("terraform", config)
    assert call.line == "https://g/m"
    assert call.rows == [("size", "3"), ("What changes", words)]


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("jira-ticket", {"ticket": "no mapping"}),
        ("rest-api", {"endpoint": 3, "body": "text", "headers": None}),
        ("git-commit", {"files": ["x"], "commitMessage": None}),
        ("terraform", {"source": {}, "variables": {"a": {"b": [1]}}}),
        ("approval", {"approvers": {"teams": ["a"]}, "minimum": 2}),
        ("somebody-elses", {"a": {"b": 1}, "c": "d"}),
    ],
)
def test_whatever_a_configuration_holds_is_shown(kind: str, config: dict[str, Any]) -> None:
    call = describe(kind, config)
    assert json.loads(call.data) == config


FORM = Form.from_mapping(
    {
        "groups": [
            {
                "id": "g",
                "fields": [
                    {"id": "name", "type": "string"},
                    {"id": "on", "type": "boolean"},
                    {"id": "zones", "type": "multiselect", "enum": ["a", "b,c"]},
                    {"id": "token", "type": "password"},
                    {
                        "id": "rules",
                        "type": "list",
                        "fields": [{"id": "p", "type": "file"}, {"id": "n", "type": "integer"}],
                    },
                ],
            }
        ]
    }
)
VALUES = {
    "name": "it's @home & more",
    "on": False,
    "zones": ["a", "b,c"],
    "token": "Hunter2-sentinel!",
    "rules": [{"p": "data:,x", "n": 1}],
}


def test_a_request_is_handed_on_without_its_secrets() -> None:
    copies = {one.id: one.text for one in copies_of(FORM, "thing", VALUES, "https://pao.example")}
    assert "Hunter2" not in str(copies)
    assert "data:," not in str(copies)
    assert has_secrets(FORM, VALUES)
    assert parse_qsl(urlsplit(copies["link"]).query) == [
        ("fields.name", "it's @home & more"),
        ("fields.on", "false"),
        ("fields.zones", "a"),
        ("fields.zones", "b,c"),
        ("fields.rules", '[{"n": 1}]'),
    ]
    command = shlex.split(copies["command"].replace("\\\n", ""))
    assert command[:4] == ["pao", "request", "submit", "thing"]
    assert "name=it's @home & more" in command
    assert 'zones=["a", "b,c"]' in command
    call = shlex.split(copies["call"].replace("\\\n", ""))
    assert json.loads(call[call.index("-d") + 1]) == json.loads(copies["data"])
    assert call[-1] == "https://pao.example/api/v1/requests"


def test_what_would_be_too_long_is_no_link() -> None:
    copies = copies_of(FORM, "thing", {"name": "x" * 9_000}, "https://pao.example")
    assert [one.id for one in copies] == ["command", "call", "data"]


def test_texts_that_differ_say_so_wherever_they_do() -> None:
    long = "same\n" * 2_000

    assert [line for _kind, line in diff_lines(long + "old", long + "new")] == [
        "Lines after the first 2000 are not compared."
    ]
    assert diff_lines(long + "old", long + "old") == ()
    commit = {"files": [{"path": "a", "operation": "update", "contentTemplate": "x"}]}
    [told_of] = describe("git-commit", commit, FilesAnswer(texts={"a": "x\n"})).blocks
    assert told_of.warning == "Only line breaks differ."
