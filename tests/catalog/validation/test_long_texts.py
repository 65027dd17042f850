"""Texts as long as a document may hold them: judging one takes time that grows with its length.

With the square of it, the forms here would take minutes, the others hours.
"""

import json

import pytest
import yaml

from catalog.forms.options import HttpOptions
from tests.catalog.validation.example_items import action, findings, item

LONG = 260_000


def repeated(unit: str, *, before: str = "") -> str:
    return before + unit * (LONG // len(unit))


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("description", repeated("[")),
        ("description", repeated("![")),
        ("description", repeated("[a](http://x ")),
        ("default", repeated("a", before="<%")),
        ("default", repeated("a", before="$(data.")),
        ("default", repeated("a", before="{fields.")),
    ],
    ids=["brackets", "images", "links", "ERB", "Tekton", "Python"],
)
def test_a_form_of_long_texts_is_judged_in_a_moment(key: str, text: str) -> None:
    document = yaml.safe_load(item("{}"))
    group = document["presentation"]["form"]["groups"][0]
    group["fields"] += [{"id": f"f{n}", "name": "F", "type": "string", key: text} for n in range(3)]

    assert findings(json.dumps(document)) == []


def test_a_long_line_that_is_no_yaml_is_told_in_a_moment() -> None:
    (found,) = findings(f"{' ' * 900_000}1\n b: 2\n")

    assert "mapping values" in found.message


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://svc:" + "{{a}}" * 200 + "x?y@h.example.com", "h.example.com"),
        (repeated("{", before="https://"), repeated("{")),
        (repeated("{{}}", before="https://"), repeated("{{}}")),
        ("https://a{{b?c@h.example.com", "a{{b"),
    ],
    ids=["templates as a password", "open templates", "templates", "an open template"],
)
def test_a_long_address_of_choices_is_read_in_a_moment(url: str, host: str) -> None:
    assert HttpOptions.model_validate({"from": "http", "url": url}).host == host


def test_a_tag_of_github_with_a_long_space_is_judged_in_a_moment() -> None:
    ticket = {"ticket": {"project": "DB", "summaryTemplate": f"${{{{{repeated(' ')}x }}}}"}}

    (found,) = findings(action("jira-ticket", json.dumps(ticket)))

    assert found.rule == "template-foreign"
