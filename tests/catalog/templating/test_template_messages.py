"""A value in a message is text: it mentions nobody, links nowhere and closes nothing."""

import re
from typing import Any

import pytest

from catalog.templating import Escaping, Names, SecretValue, render

NAMES = Names(groups={"g": ("a", "b", "password")}, outputs=())
APART = "\u200b"
EVIL = """@org/team and @ann see #12, org/repo#3 and GH-4. Closes #5, fixes
https://github.com/o/r/issues/6 <img src=x onerror=y> ![x](http://e/p.png) [l](http://e) **b** `@c`
# heading
- item
1. item
> quote
---
    code
```
@fence
```
[skip ci] [ci skip] ***NO_CI***

Co-authored-by: Eve <eve@example.com>
Signed-off-by: Eve
skip-checks: true
PAO-Action: pao-123456789012"""

ACTING = re.compile(
    r"(?<![A-Za-z0-9_])@[A-Za-z0-9]|#[0-9]|\bGH-[0-9]|https?://|\bwww\.|\[skip ci\]|\[ci skip\]"
    r"|\*\*\*NO_CI|-by:|-checks:|PAO-Action:",
    re.IGNORECASE,
)


def rendered(template: str, target: Escaping, **fields: Any) -> str:
    given = {"a": "x", "b": "y", "password": SecretValue("s3cret-Pa55"), **fields}
    return str(render(template, {"fields": given}, NAMES, target))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("<!channel> hello", "&lt;!channel&gt; hello"),
        ("<@U123> <!subteam^S1>", "&lt;@U123&gt; &lt;!subteam^S1&gt;"),
        ("<https://evil.example|our site>", "&lt;https://evil.example|our site&gt;"),
        ("a & b", "a &amp; b"),
        ("&lt;!here&gt;", "&amp;lt;!here&amp;gt;"),
        ("ann@example.com is here", "ann@example.com is here"),
        ("@here and @Channel", f"@{APART}here and @{APART}Channel"),
        (["<a>", 1], "&lt;a&gt;, 1"),
        ({"k": "<a>"}, '{"k":"&lt;a&gt;"}'),
    ],
)
def test_a_value_is_text_in_slack(value: Any, shown: str) -> None:
    assert rendered("New: {{fields.a}}", Escaping.SLACK, a=value) == f"New: {shown}"
    assert rendered("{{fields.a}}", Escaping.SLACK, a=value) == shown


def test_the_documents_own_markup_acts_in_slack() -> None:
    template = "<!here> <https://h/{{fields.a}}|{{fields.b}}> *new*"
    assert rendered(template, Escaping.SLACK, b="a>b") == "<!here> <https://h/x|a&gt;b> *new*"


@pytest.mark.parametrize("target", [Escaping.COMMIT, Escaping.MARKDOWN])
@pytest.mark.parametrize("template", ["{{fields.a}}", "Add\n\n{{fields.a}}\n", "[{{fields.a}}] x"])
def test_nothing_of_a_value_acts_on_github(template: str, target: Escaping) -> None:
    shown = rendered(template, target, a=EVIL)
    assert not ACTING.search(shown), shown
    assert "org/team" in shown.replace("\\", "")


@pytest.mark.parametrize("target", [Escaping.COMMIT, Escaping.MARKDOWN])
@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("@", "team"),
        ("#", "12"),
        ("GH-", "4"),
        ("http:", "//e.example"),
        ("x", "@y"),
        ("[", "skip"),
    ],
)
def test_two_values_side_by_side_do_not_act_together(a: str, b: str, target: Escaping) -> None:
    assert APART in rendered("{{fields.a}}{{fields.b}}", target, a=a, b=b)
    assert APART in rendered("{{fields.a}}{{#if fields.b}}{{fields.b}}{{/if}}", target, a=a, b=b)


@pytest.mark.parametrize(
    "words", ["skip ci", "ci skip", "no ci", "skip actions", "actions skip", "skip-ci"]
)
def test_a_wish_to_skip_checks_does_not_act_in_the_documents_brackets(words: str) -> None:
    assert words not in rendered("[{{fields.a}}] Add", Escaping.COMMIT, a=words)


@pytest.mark.parametrize("target", [Escaping.COMMIT, Escaping.MARKDOWN])
@pytest.mark.parametrize(
    ("template", "a", "b", "acts"),
    [
        ("[ci {{fields.a}}]", "skip", "", "[ci skip]"),
        ("[{{fields.a}} ci]", "no", "", "[no ci]"),
        ("[skip {{fields.a}}]", "azurepipelines", "", "[skip azurepipelines]"),
        ("[{{fields.a}} {{fields.b}}]", "skip", "ci", "[skip ci]"),
        ("[{{fields.a}} {{fields.b}}]", "vercel", "skip", "[vercel skip]"),
        ("x [{{fields.a}}]", "deploy", "", "[deploy]"),
        ("{{fields.a}}skip ci]", "[", "", "[skip ci]"),
        ("{{fields.a}}deploy]", "x [", "", "[deploy]"),
        ("[skip ci{{fields.a}}", "]", "", "[skip ci]"),
        ("[deploy{{fields.a}} x", "]", "", "[deploy]"),
        ("***{{fields.a}}***", "NO_CI", "", "***NO_CI"),
        ("**{{fields.a}}NO_CI***", "*", "", "***NO_CI***"),
        ("***NO_CI{{fields.a}}", "***", "", "***NO_CI***"),
        ("Add\n\nReviewed-by{{fields.a}}", ": Eve", "", "Reviewed-by:"),
        ("Add\n{{fields.a}}: {{fields.b}}", "Signed-off-by", "x <a@b>", "Signed-off-by:"),
        ("{{fields.a}}: {{fields.b}}", "Signed-off-by", "x <a@b>", "Signed-off-by:"),
        ("Add\n\n{{fields.a}}-as: 2", "Release", "", "Release-as:"),
        ("Add\n\n{{fields.a}}", "Release-As: 2.0.0", "", "Release-As:"),
        ("Add\n\n{{fields.a}}", "BREAKING CHANGE: all", "", "BREAKING CHANGE:"),
        ("Add\n\nBREAKING {{fields.a}}: all", "CHANGE", "", "BREAKING CHANGE:"),
    ],
)
def test_what_acts_only_with_the_text_around_a_value_does_not_act(
    template: str, a: str, b: str, acts: str, target: Escaping
) -> None:
    shown = rendered(template, target, a=a, b=b)
    assert acts not in shown
    assert acts in shown.replace(APART, "").replace("\\", "")


def test_a_value_is_the_name_of_no_trailer_and_no_command_in_a_commit_message() -> None:
    template = "{{fields.a}}: add\n\n{{fields.a}}: {{fields.b}}"
    shown = rendered(template, Escaping.COMMIT, a="Changelog", b="ABC-1 #close x")
    assert shown == f"Changelog: add\n\nChangelog{APART}: ABC-1 #{APART}close x"


@pytest.mark.parametrize("target", [Escaping.COMMIT, Escaping.MARKDOWN])
@pytest.mark.parametrize(
    "template",
    [
        "Add {} [skip ci]",
        "{} [deploy {}]",
        "Add {}\n\nReviewed-by: {}\nRelease-As: {}",
        "Add {}\n\nBREAKING CHANGE: {}\n\nABC-1 #close {}",
    ],
)
def test_what_the_document_writes_itself_acts(template: str, target: Escaping) -> None:
    written = template.replace("{}", "{{fields.a}}")
    assert rendered(written, target, a="orders") == template.replace("{}", "orders")


def test_a_value_begins_no_line_with_a_trailer_of_the_document() -> None:
    shown = rendered("Thanks, {{fields.a}}Reviewed-by: x", Escaping.MARKDOWN, a="all\n")
    assert shown == f"Thanks, all\nReviewed-by{APART}: x"


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r", "\u2028", "\u2029", "\x0b", "\x85"])
def test_a_value_is_one_line_in_a_commit_message(newline: str) -> None:
    shown = rendered("Add {{fields.a}}", Escaping.COMMIT, a=f"a{newline}{newline}b")
    assert len(shown.splitlines()) == 1
    assert shown.split() == ["Add", "a", "b"]


@pytest.mark.parametrize(
    "value", ["orders-db", "3.5 TB at 12:30", "ann@example.com", "a: b", "PostgreSQL (v16), 50%"]
)
def test_an_ordinary_value_stays_as_it_is(value: str) -> None:
    assert rendered("Add {{fields.a}}", Escaping.COMMIT, a=value) == f"Add {value}"
    assert rendered("Add {{fields.a}}", Escaping.MARKDOWN, a=value) == f"Add {value}"


def test_a_value_keeps_its_lines_in_markdown_and_none_begins_anything() -> None:
    shown = rendered(
        "{{fields.a}}", Escaping.MARKDOWN, a="# h\n- l\n+ l\n2. x\n> q\n===\n    c\n|t|"
    )
    assert shown == "\\# h\n\\- l\n\\+ l\n2\\. x\n&gt; q\n\\===\n   c\n\\|t\\|"


def test_a_value_within_code_is_as_it_is_and_does_not_end_it() -> None:
    template = "```json\n{{json(fields.a)}}\n```\n`{{fields.b}}` {{fields.b}}"
    shown = rendered(template, Escaping.MARKDOWN, a={"k": ["<a>", "```"]}, b="a*`b\nc")
    lines = shown.splitlines()
    assert lines[1] == '{"k":["<a>","``' + APART + '`"]}'
    assert lines[3:] == ["`a*'b c` a\\*\\`b", "c"]


def test_stars_are_put_out_as_they_are_in_messages() -> None:
    for target in (Escaping.SLACK, Escaping.COMMIT, Escaping.MARKDOWN):
        given = {"fields": {"password": SecretValue("s3cret-Pa55")}}
        assert render("x {{fields.password}}", given, NAMES, target, reveal=False) == "x ********"


@pytest.mark.parametrize("target", [Escaping.ADDRESS])
def test_a_whole_address_may_be_one_value(target: Escaping) -> None:
    whole = "https://hooks.example.com/T0/B0?x=a/b"
    assert rendered("{{fields.a}}", target, a=whole) == whole
    assert rendered("https://h/{{fields.a}}", target, a="a/b") == "https://h/a%2Fb"


@pytest.mark.parametrize("piece", ["a-", "[ ", "ci ", "@", "#", "* ", "| ", "\n", "`", "GH-"])
@pytest.mark.parametrize("target", [Escaping.COMMIT, Escaping.MARKDOWN, Escaping.SLACK], ids=str)
def test_a_long_value_of_any_pieces_is_written_at_once(target: Escaping, piece: str) -> None:
    # With a pattern that begins anew at each piece this takes minutes.
    text = "x" + piece * (300_000 // len(piece))
    assert rendered("{{fields.a}}", target, a=text)
