"""Markdown of catalog authors: what is shown of it, and what never becomes HTML."""

import pytest

from api.web.markdown import description, documentation, words


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("*one* **two** `three`", "<em>one</em> <strong>two</strong> <code>three</code>"),
        ("[wiki](https://e.example/a?b=1&c=2)", 'href="https://e.example/a?b=1&amp;c=2"'),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        ("<https://e.example>", '<a href="https://e.example" rel="noreferrer">'),
    ],
)
def test_what_descriptions_know_is_shown(text: str, html: str) -> None:
    assert html in description(text)


@pytest.mark.parametrize(
    "text",
    [
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html,hi)",
        "[x](//evil.example)",
        "[x](/signout)",
        "<javascript:alert(1)>",
        "[x][1]\n\n[1]: javascript:alert(1)",
    ],
)
def test_only_addresses_of_the_web_become_links(text: str) -> None:
    assert "<a" not in description(text)
    assert "<a" not in documentation(text)


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "```\n<script>\n```",
        "![x](https://e.example/x.png)",
        '[x](https://e.example "a\\" onclick=alert(1)")',
        "|a|\n|-:|\n|<b>1</b>|",
        "&lt;script&gt;",
    ],
)
def test_nothing_else_becomes_an_element_or_an_attribute(text: str) -> None:
    for html in (description(text), documentation(text)):
        assert not any(part in html for part in ("<script", "<img", "<b>", " style=", '" onclick'))


def test_controls_and_bidi_characters_become_marks() -> None:
    assert "\u202e" not in description("a\u202eb")


def test_headings_go_down_step_by_step_below_those_of_the_page() -> None:
    html = documentation("## A\n\n##### B\n\n## C")
    assert [html.count(f"<h{level}>") for level in (1, 2, 3, 4, 5)] == [0, 0, 2, 1, 0]


def test_in_short_a_description_is_plain_words() -> None:
    assert words("A *new* `db`, see [wiki](https://e.example).\nFast.") == (
        "A new db, see wiki. Fast."
    )
