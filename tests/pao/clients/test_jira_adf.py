"""Wiki markup becomes ADF; a user's value never becomes markup."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pao.clients.jira.adf import wiki_to_adf
from sandbox.jira.adf_check import adf_text, is_adf


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


def marked(value: str, kind: str, **attrs: str) -> dict[str, Any]:
    mark = {"type": kind, "attrs": attrs} if attrs else {"type": kind}
    return {"type": "text", "text": value, "marks": [mark]}


def test_strike_underline_and_raised_and_lowered_letters() -> None:
    assert content("-gone- +new+ x ^up^ ~down~ a-b+c^d~e") == [
        paragraph(
            marked("gone", "strike"),
            text(" "),
            marked("new", "underline"),
            text(" x "),
            marked("up", "subsup", type="sup"),
            text(" "),
            marked("down", "subsup", type="sub"),
            text(" a-b+c^d~e"),
        )
    ]


@pytest.mark.parametrize(
    "plain",
    [
        "2026-11-24 - 2026-11-25",
        "from -5 to -3",
        "--flag --other",
        "a -> b -> c",
        "1 + 2 + 3",
        "~ ~",
    ],
)
def test_signs_that_mark_nothing_stay_text(plain: str) -> None:
    assert content(plain) == [paragraph(text(plain))]


@pytest.mark.parametrize(
    ("written", "url", "rest"),
    [
        ("https://a.example/x?y=1#z", "https://a.example/x?y=1#z", ""),
        ("https://a.example/x.", "https://a.example/x", "."),
        ("https://a.example/-/x_y/, too", "https://a.example/-/x_y/", ", too"),
        ("https://a.example/x_(y)", "https://a.example/x_(y)", ""),
        ("https://a.example/x) there", "https://a.example/x", ") there"),
    ],
)
def test_an_address_in_the_text_becomes_a_link(written: str, url: str, rest: str) -> None:
    link = {"type": "link", "attrs": {"href": url}}
    nodes = [text("see "), {**text(url), "marks": [link]}, *([text(rest)] if rest else [])]
    assert content(f"see {written}") == [paragraph(*nodes)]


@pytest.mark.parametrize("plain", ["https://", "xhttps://a.example", r"\[x\|https://a.example\]"])
def test_what_is_no_address_of_its_own_stays_text(plain: str) -> None:
    assert "marks" not in str(content(plain))


def test_mentions_name_an_account_or_a_user() -> None:
    account = {"type": "mention", "attrs": {"id": "5b10a2844c20165700ede21g"}}
    user = {"type": "mention", "attrs": {"id": "ann", "text": "@ann"}}
    assert content("[~accountid:5b10a2844c20165700ede21g] and [~ann]") == [
        paragraph(account, text(" and "), user)
    ]
    assert content(r"\[~ann\]") == [paragraph(text("[~ann]"))]


@pytest.mark.parametrize(
    ("name", "colour"), [("red", "#ff0000"), ("#0a0", "#00aa00"), ("#00AA01", "#00aa01")]
)
def test_a_colour_is_kept(name: str, colour: str) -> None:
    [found] = content(f"{{color:{name}}}*hot*{{color}}")
    [node] = found["content"]
    assert node["marks"] == [
        {"type": "textColor", "attrs": {"color": colour}},
        {"type": "strong"},
    ]


def test_a_colour_may_span_lines_and_an_unknown_one_leaves_its_text() -> None:
    found = content("{color:blue}one\n* two\nh2. three{color}")
    assert [part["type"] for part in found] == ["paragraph", "bulletList", "heading"]
    assert str(found).count("#0000ff") == 3
    assert content("{color:nice}x{color}") == [paragraph(text("x"))]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("info", "info"),
        ("note", "note"),
        ("warning", "warning"),
        ("tip", "success"),
        ("panel", "info"),
    ],
)
@pytest.mark.parametrize("form", ["{{{0}}}\nh1. A\n* b\n----\n{{{0}}}", "{{{0}}}x{{{0}}}"])
def test_panels_hold_their_blocks(name: str, kind: str, form: str) -> None:
    [panel] = content(form.format(name))
    assert panel["attrs"] == {"panelType": kind}
    kinds = [part["type"] for part in panel["content"]]
    assert kinds in (["heading", "bulletList", "rule"], ["paragraph"])


def test_a_panel_has_its_title_and_what_it_cannot_hold_becomes_plainer() -> None:
    [panel, after] = content(
        "{panel:title=Read *me*|bgColor=#eee}\nbefore\n{quote}said{quote}\n{info}in{info}\n"
        "{code}x{code}\n{panel}\nafter"
    )
    assert panel["content"][0] == paragraph(text("Read *me*", "strong"))
    assert {part["type"] for part in panel["content"]} == {"paragraph", "codeBlock"}
    assert "said" in adf_text(panel)
    assert after == paragraph(text("after"))


def test_a_panel_without_an_end_and_one_in_a_table_stay_text() -> None:
    assert content("{info}x") == [paragraph(text("{info}x"))]
    assert content("|{info}x{info}|")[0]["type"] == "table"


@given(st.text(alphabet=st.sampled_from(list("*_#-|{}[]\\h1.bq code:quote\n x"))))
def test_any_text_makes_a_valid_document(markup: str) -> None:
    assert is_adf(wiki_to_adf(markup))


@pytest.mark.parametrize(
    "piece",
    [
        *("*a ", "[a|", "{{", "{code}", "{quote}\n", "|", "* x\n", "_", "-a ", "+", "^a", "~"),
        *(
            "{color:red}",
            "{info}",
            "{panel:title=x}a{panel}",
            "[~",
            "[~a]",
            "https://.",
            "(https://",
        ),
        *("https://a" + "." * 500 + " ", "{color:red}a\nb{color}", "-a-a ", "{quote}"),
    ],
)
def test_a_long_hostile_text_is_converted_all_the_same(piece: str) -> None:
    assert is_adf(wiki_to_adf(piece * (32_000 // len(piece))))
