"""Descriptions for Cloud are valid by Atlassian's schema, and say what was written."""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from catalog.templating import jira_escape
from pao.clients.jira.adf import wiki_to_adf
from sandbox.jira.adf_check import adf_text, is_adf
from tests.pao.clients.adf.adf_schema import adf_schema

DESCRIPTIONS = {
    "empty": "",
    "blank": " \n\t\n ",
    "one line": "A database, please.",
    "long": "word " * 8_000,
    "multi-line": "one\ntwo\r\nthree\r\rfour\n\n\n\nfive",
    "emoji": "Ready 🚀 👩‍👩‍👧‍👦 and ❤️\n* 🇩🇪 🏳️‍🌈",
    "controls": "a\x00b\x07c\x1b[31m\x7f\u2028\u202e\ufeff",
    "markup": "h2. Title\n*bold* _it_ {{mono}} *_both_* {{*code*}} *{{bold code}}*",
    "headings": "\n".join(
        f"h{level}. Level {level} with *bold* and {{{{code}}}}" for level in range(10)
    ),
    "code": '{code:json}\n{"a": "\\u007bcode}"}\n{code}\n{noformat}*x*{noformat}\n{code}{code}',
    "tables": "||A||B||\n|1|*2*|\n||x|y||\n||||\n|[t|https://a.example]|{{c}}|\n|\n||",
    "nested lists": "* a\n** b\n*** c\n**# d\n# e\n## f\n*** deep\n* g\n-- h\n#*#* odd",
    "lists and code": "* a\n{code}x{code}\n* b\n{quote}\n* in\n{quote}",
    "links": "[a|https://a.example/x?y=z&u=%20#f] [mailto:a@b.example] [*b*|https://b.example]",
    "bad links": "[x|javascript:alert(1)] [|https://a.example] [https://] [x|https://]",
    "quotes": "{quote}\nh1. x\n||t||\n----\n{quote}\nbq. y\n{quote}\n\n{quote}\n{quote}\n{quote}",
    "rules": "----\na\n-----\n----x",
    "breaks": "a\\\\b\\\\\\\\c\\\\",
    "html": "<script>alert(1)</script> &amp; <!-- -->",
    "templates": "{{ fields.x }} {% if %} ${x} {panel:title=x}y{panel}",
    "marks": "-a- +b+ ^c^ ~d~ *-+^~all~^+-* {color:red}-x-{color} [-t-|https://a.example]",
    "subsup": "^a ~b~ c^ *^x^*",
    "colours": "{color:red}a *b* {{c}}\n* d\n|e|{color} {color:#12}x{color} {color:}y{color}",
    "panels": "{info}x{info}\n{panel:title=T}\nh1. a\n* b\n----\n||t||\n{quote}q{quote}\n{panel}",
    "empty panels": "{info}{info}{tip}\n\n{tip}{note}{warning}{note}{warning}",
    "mentions": "[~accountid:5b10] *[~ann]* h1. [~bob] [[~x]|https://a.example] {{[~y]}}",
    "addresses": "https://a.example *https://b.example* (https://c.example). https:// http://x",
    "private use": "\U000f0000\U000f0080 \\* \U0010fffd",
    "half a mark": "*a _b {{c [d|https://e.example h1.",
}


def problems(document: dict[str, Any]) -> list[str]:
    return [error.message[:200] for error in adf_schema().iter_errors(document)]


@pytest.mark.parametrize("text", DESCRIPTIONS.values(), ids=DESCRIPTIONS.keys())
def test_a_description_is_valid_by_atlassians_schema(text: str) -> None:
    document = wiki_to_adf(text)
    assert problems(document) == []
    assert is_adf(document), "the stand-in is no stricter than Cloud"
    json.dumps(document).encode()


BAD = {
    "level": {"type": "heading", "attrs": {"level": 7}},
    "empty text": {"type": "paragraph", "content": [{"type": "text", "text": ""}]},
    "empty list": {"type": "bulletList", "content": []},
    "nested heading": {
        "type": "blockquote",
        "content": [{"type": "heading", "attrs": {"level": 1}}],
    },
    "marks": {
        "type": "paragraph",
        "content": [{"type": "text", "text": "x", "marks": [{"type": "code"}, {"type": "strong"}]}],
    },
}


@pytest.mark.parametrize("block", BAD.values(), ids=BAD.keys())
def test_the_schema_refuses_what_cloud_refuses(block: dict[str, Any]) -> None:
    assert problems({"type": "doc", "version": 1, "content": [block]})


PIECES = st.sampled_from(
    [
        *"*_#-|{}[]\\!~^+?.:h1 \n\tbq",
        *(
            "{{",
            "}}",
            "||",
            "{code}",
            "{code:json}",
            "{noformat}",
            "{quote}",
            "{panel}",
            "{panel:title=a}",
            "{info}",
            "{color:red}",
            "{color}",
            "[~ann]",
            "https://a.example/",
            "-a-",
            "h1. ",
            "bq. ",
            "----",
        ),
        *(
            "* ",
            "** ",
            "# ",
            "*# ",
            "[a|https://a.example]",
            "\\\\",
            "&#92;",
            "\\u007b",
            "\n\n",
            "é🚀",
        ),
    ]
)


@settings(max_examples=150)
@given(st.lists(PIECES, max_size=40).map("".join) | st.text(max_size=80))
@example("")
def test_any_text_is_valid_by_atlassians_schema(text: str) -> None:
    assert problems(wiki_to_adf(text)) == []


PLACES = {
    "a line": "before {} after",
    "a line of its own": "{}",
    "bold": "*{}*",
    "italic": "_{}_",
    "bold in italic": "_*{}*_",
    "monospace": "a {{{{{}}}}} b",
    "a link": "[{}|https://a.example]",
    "a bold cell": "|*{}*|_{}_|",
    "an item": "* {}\n* next",
    "a cell": "||Name||Value||\n|x|{}|",
    "a heading": "h2. About {} here",
    "a quote": "{{quote}}\n{}\n{{quote}}",
    "a panel": "{{info}}\n{}\n{{info}}",
    "a title": "{{panel:title={}}}x{{panel}}",
    "a colour": "{{color:red}}{}{{color}}",
    "struck": "-{}-",
    "underlined": "+{}+",
    "a quoted line": "bq. said {} so",
}
VALUES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=40)


def texts(node: Any) -> list[str]:
    if node.get("type") == "text":
        return [node["text"]]
    return [text for child in node.get("content", ()) for text in texts(child)]


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
@settings(max_examples=60)
@given(value=VALUES | st.lists(PIECES, max_size=12).map(lambda p: "".join(p).replace("\n", "")))
@example(value="2*3*4 snake_case_name 2026-11-24")
@example(value="*bold* {code} [x|https://a.example] C:\\temp\\ h1. &#92; \\u007b | ---- {{x}}")
def test_a_user_s_value_arrives_letter_by_letter_and_marks_nothing(place: str, value: str) -> None:
    plain = wiki_to_adf(_filled(place, "x0x"))
    document = wiki_to_adf(_filled(place, f"x{jira_escape(value)}x"))
    assert problems(document) == []
    assert adf_text(document) == adf_text(plain).replace("x0x", f"x{value}x")
    assert _shape(_without_addresses(document)) == _shape(plain)


def _filled(place: str, value: str) -> str:
    return place.format(*[value] * place.count("{}"))


def _without_addresses(node: Any) -> Any:
    """Undo what JIRA does to every text: an address in it is a link to just what it shows."""
    content: list[Any] = []
    for child in map(_without_addresses, node.get("content", ())):
        if content and _texts_alike(content[-1], child):
            content[-1] = {**child, "text": content[-1]["text"] + child["text"]}
        else:
            content.append(child)
    if node["type"] == "text":
        shown = {"type": "link", "attrs": {"href": node["text"]}}
        marks = [mark for mark in node.get("marks", ()) if mark != shown]
        rest = {key: value for key, value in node.items() if key != "marks"}
        return {**rest, "marks": marks} if marks else rest
    return {**node, "content": content} if "content" in node else node


def _texts_alike(one: Any, other: Any) -> bool:
    texts: bool = one["type"] == other["type"] == "text"
    return texts and one.get("marks") == other.get("marks")


def _shape(node: Any) -> Any:
    """Return types, attributes and marks, without the texts."""
    kept = {key: value for key, value in node.items() if key not in {"text", "content"}}
    return [kept, [_shape(child) for child in node.get("content", ())]]


@settings(max_examples=60)
@given(value=st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
@example(value='{code} } { \\u007b \\ "')
def test_the_json_of_a_code_block_is_read_back_as_it_was(value: str) -> None:
    written = json.dumps({"value": value}, ensure_ascii=False).replace("{code", "\\u007bcode")
    (block,) = wiki_to_adf(f"{{code:json}}\n{written}\n{{code}}")["content"]
    assert json.loads(texts(block)[0]) == {"value": value}
