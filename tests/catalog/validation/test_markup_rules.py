"""Markdown in a ticket's description is told where it stands, with the wiki form."""

import json

import pytest
import yaml

from activities.registry import action_schemas
from catalog.validation import Finding, Severity, markup_rules, validate


def judged(text: str) -> list[Finding]:
    ticket = {"project": "DB", "summaryTemplate": "**s**", "descriptionTemplate": text}
    document = {
        "schemaVersion": "catalog/v1",
        "kind": "CatalogItem",
        "metadata": {
            "id": "database-postgresql-standard",
            "name": "PostgreSQL",
            "description": "A managed PostgreSQL instance with daily backups and monitoring.",
            "version": "1.0.0",
            "category": "databases",
            "owner": {"team": "team-database"},
        },
        "presentation": {
            "form": {
                "groups": [
                    {"id": "g", "name": "G", "fields": [{"id": "a", "type": "string"}]},
                ]
            }
        },
        "fulfillment": {
            "manual": {"actions": [{"type": "jira-ticket", "config": {"ticket": ticket}}]}
        },
    }
    written = yaml.safe_dump(json.loads(json.dumps(document)), sort_keys=False)
    file = "databases/database-postgresql-standard.yaml"
    found = validate(written, file=file, known_actions=action_schemas())
    return [one for one in found.findings if one.rule == "jira-markdown"]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("a **bold** b", "write *bold*"),
        ("**{{fields.a}}**", "write *bold*"),
        ("a __bold__ b", "write *bold*"),
        ("~~gone~~", "write -struck-"),
        ("# Title\n\ntext", "write h1. Title"),
        ("text\n\n### Title\ntext", "write h3. Title"),
        ("see [it](https://a.example/x)", "write [text|address]"),
        ("see [it]({{fields.a}})", "write [text|address]"),
        ("![it](https://a.example/x.png)", "attach the file and write !name!"),
        ("```json\n{}\n```", "write {code} before and after"),
        ("run `pao up` there", "leave the backticks out, or use {code}"),
        ("> said\n", "write bq. quoted, or {quote} around it"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "write ||head||head||"),
        ("1. one\n2. two", "write # item"),
    ],
)
def test_markdown_is_a_warning_with_the_wiki_form(text: str, hint: str) -> None:
    [finding] = judged(text)
    assert (finding.severity, finding.hint) == (Severity.WARNING, hint)


@pytest.mark.parametrize(
    "text",
    [
        "*bold* _it_ -gone- {{fields.a}} [it|https://a.example]",
        "# one\n# two\n## deeper\n* a\n** b",
        "h2. Title\n||a||b||\n|1|2|\n----\nbq. said",
        "{code}\n# no\n**kwargs**\n```\n[a](https://b.example)\n{code}",
        "{noformat}`x`{noformat} snake__case__name 2**3**4",
        "{{fields.a | default('**x**')}}",
        "it costs 5. That is all.",
        "",
    ],
)
def test_wiki_markup_is_no_markdown(text: str) -> None:
    assert judged(text) == []


def test_every_kind_is_told_once_at_its_place() -> None:
    found = judged("one\ntwo **a** and **b**\n## T\n")
    assert [one.hint for one in found] == ["write *bold*", "write h2. Title"]


@pytest.mark.parametrize(
    "text",
    [
        "[it](https://a.example/?of[]=1)",
        "[it](https://a.example/x_(y))",
        "a [b] and [c](/d)",
    ],
)
def test_a_link_with_brackets_is_markdown(text: str) -> None:
    assert [one.hint for one in judged(text)] == ["write [text|address]"]


def test_a_tag_that_does_not_end_hides_nothing() -> None:
    text = "{code} {noformat}`x`{noformat} {% {{ '`y`' }} `z`"

    assert [start for start, _ in markup_rules.markdown_in(text)] == [text.index("`z`")]


# Hours, if the time grew with the square of the length.
@pytest.mark.parametrize(
    "unit",
    [
        " ",
        "\t",
        "{",
        "{%",
        "{% {{}}",
        "{code:a}",
        "[",
        "![",
        "[a](x",
        "![](",
        "**a",
        "|---",
        "1. a\n",
        "# a\n",
    ],
)  # fmt: skip -- a list of short texts
def test_half_a_million_characters_are_searched_in_a_moment(unit: str) -> None:
    hints = [hint for _, hint in markup_rules.markdown_in(unit * (500_000 // len(unit)))]

    assert len(hints) == len(set(hints))


@pytest.mark.parametrize(
    ("before", "unit"),
    [("| ", " "), ("|--- ", "\t"), ("[a](x", "a"), ("{code:", "a"), ("**a", "a")],
)
def test_so_is_a_construct_without_an_end(before: str, unit: str) -> None:
    assert markup_rules.markdown_in(before + unit * 500_000) == []
