"""Wiki markup becomes ADF; a user's value never becomes markup."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pao.clients.jira.adf import wiki_to_adf
from pao.local.jira_sandbox.adf_check import adf_text, is_adf


def content(text: str) -> list[dict[str, Any]]:
    document = wiki_to_adf(text)
    assert is_adf(document)
    return list(document["content"])


def text(value: str, *marks: str) -> dict[str, Any]:
    node: dict[str, Any] = {"type": "text", "text": value}
    return {**node, "marks": [{"type": mark} for mark in marks]} if marks else node


def paragraph(*nodes: dict[str, Any]) -> dict[str, Any]:
    return {"type": "paragraph", "content": list(nodes)}


def test_lines_of_a_paragraph_are_broken_hard_and_a_blank_line_ends_it() -> None:
    assert content("one\ntwo\r\n\nthree") == [
        paragraph(text("one"), {"type": "hardBreak"}, text("two")),
        paragraph(text("three")),
    ]


@pytest.mark.parametrize("level", range(1, 7))
def test_headings_keep_their_level(level: int) -> None:
    heading = {"type": "heading", "attrs": {"level": level}, "content": [text("Title")]}
    assert content(f"h{level}. Title") == [heading]


def test_marks_within_a_line() -> None:
    assert content("a *bold* and _it_ and {{mono}} and *_both_*") == [
        paragraph(
            text("a "),
            text("bold", "strong"),
            text(" and "),
            text("it", "em"),
            text(" and "),
            text("mono", "code"),
            text(" and "),
            text("both", "strong", "em"),
        )
    ]


@pytest.mark.parametrize(
    "plain", ["2*3*4", "snake_case_name", "* ", "a * b * c", "[x|javascript:y]"]
)
def test_what_is_no_markup_stays_text(plain: str) -> None:
    assert adf_text(wiki_to_adf(plain)).strip() == plain.strip()
    assert "marks" not in str(wiki_to_adf(plain))


def test_links_with_and_without_a_title() -> None:
    link = {"type": "link", "attrs": {"href": "https://a.example/x"}}
    assert content("[the *page*|https://a.example/x] [https://a.example/x]") == [
        paragraph(
            {**text("the "), "marks": [link]},
            {**text("page"), "marks": [link, {"type": "strong"}]},
            text(" "),
            {**text("https://a.example/x"), "marks": [link]},
        )
    ]


def test_lists_nest_and_mix() -> None:
    (found,) = content("* one\n** deeper\n*# first\n* two")
    assert found["type"] == "bulletList"
    one, two = found["content"]
    assert [part["type"] for part in one["content"]] == ["paragraph", "bulletList", "orderedList"]
    assert two["content"] == [paragraph(text("two"))]


def test_a_list_that_begins_deep_is_valid_all_the_same() -> None:
    (found,) = content("*** deep\n* flat")
    assert found["type"] == "bulletList"
    assert adf_text(found).split() == ["deep", "flat"]


def test_tables_have_headers_cells_and_links_in_them() -> None:
    (table,) = content("||Name||Size||\n|db|[a|https://a.example]|\n|*b*||")
    kinds = [[cell["type"] for cell in row["content"]] for row in table["content"]]
    assert kinds[:2] == [["tableHeader"] * 2, ["tableCell"] * 2]
    assert "https://a.example" in str(table["content"][1])


def test_code_is_kept_letter_by_letter() -> None:
    code = '{\n  "a": "*x*",\n  "b": "\\u007bcode}",\n  "c": "\\\\u007b"\n}'
    (block,) = content(f"{{code:json}}\n{code}\n{{code}}")
    assert block["attrs"] == {"language": "json"}
    assert block["content"][0]["text"] == code.replace('"\\u007bcode}"', '"{code}"')


def test_noformat_and_empty_code_are_code_blocks() -> None:
    assert content("{noformat}*a*{noformat}") == [{"type": "codeBlock", "content": [text("*a*")]}]
    assert content("{code}\n{code}") == [{"type": "codeBlock"}]


def test_quotes_hold_paragraphs_lists_and_code() -> None:
    (quote,) = content("{quote}\nh1. said\n* a\n{code}x{code}\n{quote}")
    assert [part["type"] for part in quote["content"]] == ["paragraph", "bulletList", "codeBlock"]
    assert content("bq. said")[0]["type"] == "blockquote"


def test_a_rule_and_a_forced_break() -> None:
    assert content("----") == [{"type": "rule"}]
    assert content("a\\\\b") == [paragraph(text("a"), {"type": "hardBreak"}, text("b"))]


@pytest.mark.parametrize(
    ("escaped", "value"),
    [
        (r"\*not bold\*", "*not bold*"),
        (r"\{code\}", "{code}"),
        (r"h1\. not a heading", "h1. not a heading"),
        (r"\- no item", "- no item"),
        (r"\|no\|table\|", "|no|table|"),
        (r"C:&#92;temp&#92;\[x\]", "C:\\temp\\[x]"),
        (r"\{\{x\}\} \_y\_ \[z\|https://a.example\]", "{{x}} _y_ [z|https://a.example]"),
        ("\U000f0000 \\*", "\U000f0000 *"),
    ],
)
def test_an_escaped_value_arrives_letter_by_letter(escaped: str, value: str) -> None:
    assert content(escaped) == [paragraph(text(value))]


def test_an_escaped_value_within_markup_stays_a_value() -> None:
    assert content(r"*a \* b*") == [paragraph(text("a * b", "strong"))]
    assert content("{code}\nx \\{code\\} y\n{code}")[0]["content"] == [text("x {code} y")]


def test_nothing_makes_an_empty_document() -> None:
    assert content("") == content("\n \n") == []


@given(st.text(alphabet=st.sampled_from(list("*_#-|{}[]\\h1.bq code:quote\n x"))))
def test_any_text_makes_a_valid_document(markup: str) -> None:
    assert is_adf(wiki_to_adf(markup))


@pytest.mark.parametrize("piece", ["*a ", "[a|", "{{", "{code}", "{quote}\n", "|", "* x\n", "_"])
def test_a_long_hostile_text_is_converted_all_the_same(piece: str) -> None:
    assert is_adf(wiki_to_adf(piece * (32_000 // len(piece))))
