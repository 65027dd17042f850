"""Material that others wrote: what jinja2, Go and Handlebars test themselves with.

It is read from their own distributions. A case gives what its own engine gives, or is refused with
an error of ours; the few that differ on purpose are listed with the reason.
"""

import ast
import importlib.util
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from catalog.templating import Escaping, Names, TemplateError, render
from tests.support.sdists import Sdist

JINJA = Sdist(
    "jinja2",
    "3.1.6",
    "0137fb05990d35f1275a587e9aee6d56da821fc83491a0fb838183be43f66d6d",
    "tests/test_security.py",
)
HANDLEBARS = Sdist(
    "pybars3",
    "0.9.7",
    "6ac847e905e53b9c5b936af112c910475e27bf767f79f4528c16f9af1ec0e252",
    "tests/test_acceptance.py",
)
NAMES = Names(groups={"g": ("it",)}, outputs=())


class Case(NamedTuple):
    """A template of somebody's test, with what it is given and what it gives there."""

    name: str
    template: str
    values: Any
    expected: str | None


def outcome(template: str, values: Any) -> str | None:
    """Render inside a block around the values, so that bare names are theirs; None: refused."""
    try:
        text: str = render(template, {"fields": {"it": values}}, NAMES, Escaping.NONE)
    except TemplateError:
        return None
    return text


def test_the_strings_of_jinja_s_own_security_tests_are_refused() -> None:
    tree = ast.parse(JINJA.text())
    texts = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    attacks = sorted(text for text in texts if "{{" in text or "{%" in text)
    assert len(attacks) > 15

    for attack in attacks:
        # Its names are variables of the tests; here they are taken for fields and for items.
        as_fields = re.sub(r"\b(foo|cls|seq)\b", "fields.it", attack)
        inside = f"{{{{with .User.g_it}}}}{attack}{{{{end}}}}"
        for template in (attack, as_fields, inside):
            for value in ({"foo": 42, "cls": "x"}, [1], "text"):
                assert outcome(template, value) is None, template


GO = Path(next(iter(importlib.util.find_spec("go").submodule_search_locations or ())))  # type: ignore[union-attr]
TEXT = r'("(?:[^"\\\n]|\\.)*"|`[^`]*`)'
GO_CASE = re.compile(rf"\{{{TEXT},\s*{TEXT},\s*{TEXT},\s*(?:tVal|nil), (true|false)\}}")
# The part of the tests' own value that JSON can hold.
GO_VALUES = {
    "True": True,
    "I": 17,
    "U16": 16,
    "X": "x",
    "S": "xyz",
    "U": {"V": "v"},
    "SI": [3, 4, 5],
    "SB": [True, False],
    "SIEmpty": [],
    "AI": [3, 4, 5],
    "MSI": {"one": 1, "two": 2, "three": 3},
    "MSIone": {"one": 1},
    "MSIEmpty": {},
    "MXI": {"one": 1},
    "MI64S": {"2": "i642", "3": "i643"},
    "SMSI": [{"one": 1, "two": 2}, {"eleven": 11, "twelve": 12}],
    "Empty0": None,
    "Empty1": 3,
    "Empty2": "empty2",
    "Empty3": [7, 8],
    "Empty4": {"V": "UinEmpty"},
    "NIL": None,
    "FloatZero": 0.0,
    "PI": 23,
    "PS": "a string",
    "PSI": [21, 22, 23],
}
GO_DIFFERS = {
    # Null is empty, lists are joined and mappings are JSON; mappings keep their order.
    **dict.fromkeys(("NIL", "empty nil", "nil action", "if nil"), "null is a value"),
    **dict.fromkeys(("*[]int", "empty with slice", "with slice", "or as if true"), "a list"),
    **dict.fromkeys(("empty with struct", "with map"), "a mapping"),
    **dict.fromkeys(("range map", "range map else"), "the mapping's order"),
    # What is missing is null to and, or, if and range.
    **dict.fromkeys(("and undef", "or undef", "if UPI", "bug17e"), "missing"),
    **dict.fromkeys(("or short-circuit2", "and short-circuit2"), "die is a name, and missing"),
    # The format is whatever is first.
    **dict.fromkeys(("bug16a", "bug16b", "bug16c", "bug16d"), "one text is a format"),
}


def unquoted(text: str) -> str:
    return text[1:-1] if text.startswith("`") else str(ast.literal_eval(text))


def go_cases() -> Iterator[Case]:
    source = (GO / "src" / "text" / "template" / "exec_test.go").read_text()
    table = source[source.index("var execTests") :]
    for name, template, expected, good in GO_CASE.findall(table[: table.index("\n}\n")]):
        written = f"{{{{with .User.g_it}}}}{unquoted(template)}{{{{end}}}}"
        yield Case(
            unquoted(name), written, GO_VALUES, unquoted(expected) if good == "true" else None
        )


def test_the_table_of_go_s_own_tests_gives_the_same_or_is_refused() -> None:
    counts: Counter[str] = Counter()
    for case in go_cases():
        found = outcome(case.template, case.values)
        if found != case.expected and found is not None:
            assert case.name in GO_DIFFERS, (case, found)
        counts["same" if found == case.expected else "refused" if found is None else "other"] += 1

    assert counts["same"] >= 90
    assert counts["other"] <= len(GO_DIFFERS) + 1


def test_the_examples_of_go_s_documentation_give_the_quoted_word() -> None:
    source = (GO / "src" / "text" / "template" / "doc.go").read_text()
    part = source[source.index('All produce the quoted word "output"') :]
    examples = re.findall(r"^\t(\{\{.*\}\})$", part[:1_500], re.MULTILINE)
    assert len(examples) > 8

    found = {example: outcome("\n" + example, None) for example in examples}

    # print is no function of ours; everything else is read.
    assert {example for example, text in found.items() if text is None} == {
        example for example in examples if "(print " in example
    }
    assert set(found.values()) == {'\n"output"', None}


HANDLEBARS_DIFFERS = {
    "test_block_tag_whitespace": "two tags on one line leave the line",
    "test_zeros": "zero is false to with, which stands around every case here",
    "test_escaping_expressions": "escaping is the target's, and HTML is none",
    "test_default_helperMissing_no_params": "an empty mapping is false to with",
}


def handlebars_cases() -> Iterator[Case]:
    tree = ast.parse(HANDLEBARS.text())
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef) and function.name.startswith("test_"):
            yield from cases_of(function)


def cases_of(function: ast.FunctionDef) -> Iterator[Case]:
    known: dict[str, Any] = {}
    for statement in function.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            name = statement.targets[0].id
            try:
                known[name] = ast.literal_eval(statement.value)
            except ValueError:
                known.pop(name, None)
        elif is_plain_render(statement) and known.keys() >= {"template", "context", "result"}:
            yield Case(function.name, known["template"], known["context"], known["result"])


def is_plain_render(statement: ast.stmt) -> bool:
    call = statement.value if isinstance(statement, ast.Expr) else None
    return (
        isinstance(call, ast.Call)
        and getattr(call.func, "attr", "") == "assertRender"
        and len(call.args) == 3
        and not call.keywords
    )


def test_the_cases_of_handlebars_give_the_same_or_are_refused() -> None:
    counts: Counter[str] = Counter()
    for case in handlebars_cases():
        written = f"{{{{with .User.g_it}}}}\n{case.template}\n{{{{end}}}}"
        found = outcome(written, case.values)
        same = found is not None and found.strip("\r\n") == str(case.expected).strip("\r\n")
        if found is not None and not same:
            assert case.name in HANDLEBARS_DIFFERS, (case, found)
        counts["same" if same else "refused" if found is None else "other"] += 1

    assert counts["same"] >= 34
    assert counts["other"] <= len(HANDLEBARS_DIFFERS)


@pytest.mark.parametrize(
    "template",
    ["{{#list}}x{{/list}}", "{{^it}}x{{/it}}", "{{> part}}", "{{&it}}", "{{=<% %>=}}"],
)
def test_mustache_of_its_own_is_refused_and_never_put_out_as_text(template: str) -> None:
    assert outcome(template, "value") is None
