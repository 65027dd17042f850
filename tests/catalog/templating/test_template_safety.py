"""Whatever is written in a template or sent as a value, it ends in a result or a TemplateError."""

import json
import string
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.templating import (
    Escaping,
    Names,
    TemplateError,
    check,
    evaluate_when,
    jira_escape,
    render,
)
from catalog.templating.contract import FaultError
from catalog.templating.functions import FUNCTIONS
from catalog.templating.limits import ITERATIONS, SECONDS, TEXT_BYTES, Budget

ENOUGH_MEMORY = 64_000_000

# What Jinja2's own tests (tests/test_security.py) and known escapes from its sandbox try.
ESCAPES = [
    "{{ foo.bar() }}",
    "{{ foo._foo() }}",
    "{{ fields.func_code }}",
    "{{ (1).__class__ }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ [].__class__.__base__ }}",
    "{{ ''['__class__'] }}",
    "{{ ''|attr('__class__') }}",
    "{{ cycler.__init__.__globals__.os }}",
    "{{ lipsum.__globals__ }}",
    "{{ joiner.__init__ }}",
    "{{ namespace().x }}",
    "{{ request.application.__globals__ }}",
    "{{ config.items() }}",
    "{{ self._TemplateReference__context }}",
    "{{ 'a{x.__class__}b'.format(x=42) }}",
    "{{ ('a{x.foo}b{y[1]}')|format(1) }}",
    "{{ 'a'.format_map({'x': 1}) }}",
    "{{ fields.l.append(1) }}",
    "{{ fields.l.pop() }}",
    "{{ fields.clear() }}",
    "{% for item in (1).__class__.__mro__ %}{% endfor %}",
    "{% for item in lipsum.__globals__ %}{% endfor %}",
    "{% macro x() %}{{ caller.__closure__ }}{% endmacro %}",
    "{% set x = fields %}",
    "{% import 'os' as os %}",
    "{% extends fields.name %}",
    "{% autoescape false %}{% endautoescape %}",
    "{{ fields.l | map(attribute='__class__') }}",
    "{{ fields.l | groupby('__class__') }}",
    "{{ fields.l | sum(start='') }}",
    "{{ fields.l | xmlattr }}",
]
RUNAWAYS = [
    "{{ 'A' * 1000000000 }}",
    "{{ 'x'.ljust(900000000) }}",
    "{{ 'x' | center(900000000) }}",
    "{{ '%1000000000d' | format(1) }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ printf '%999999999d' 1 }}",
    "{{ printf '%.999999999f' 1 }}",
    "{{ 10 ** 10 ** 10 }}",
    "{{ range(1000000000) | length }}",
    "{% for i in range(100000000) %}x{% endfor %}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{{ replace(fields.big, 'x', fields.big) }}",
    "{{ concat(fields.big, fields.big) ~ fields.big }}",
    "{{ [fields.big, fields.big, fields.big] }}!",
    "{{ json([fields.big, fields.big]) }}",
    "{{ yaml([fields.big, fields.big]) }}",
    "{{ join(split(fields.big, 'x'), fields.big) }}",
    "{{ matches(fields.big, '((a?){500}){500}b') }}",
    "{{ json(fields.deep) }}",
    "{{ fields.deep == fields.deep }}",
    "{{ unique(fields.deep) }}",
    "{{ fields.huge }}!",
    "{{ fields.huge * fields.huge }}",
    "{{ " + "(" * 10_000 + "1" + ")" * 10_000 + " }}",
    "{{ " + "not " * 10_000 + "1 }}",
    "{{ " + "[" * 10_000 + "]" * 10_000 + " }}",
    "{{ fields" + "[fields" * 10_000 + "]" * 10_000 + " }}",
    "{{#each fields.l}}" * 6 + "{{/each}}" * 6,
    "{% for a in fields.l %}" * 3 + "x" + "{% endfor %}" * 3,
    "{% for a in fields.l %}" * 2 + "{% for b in fields.l if false %}" + "{% endfor %}" * 3,
    "x" * 300_000,
]


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


SCOPES: dict[str, Any] = {
    "fields": {
        "l": list(range(100)),
        "name": "n",
        "big": "x" * 600_000,
        "deep": nested(5_000),
        "huge": 10**5_000,
    }
}
LONG_CHAINS = [
    ("{{ " + "1 + " * 20_000 + "0 }}", 20_000),
    ("{{ 'a'" + " | upper" * 5_000 + " }}", "A"),
    ("{{ " + "1 if false else " * 10_000 + "2 }}", 2),
    ("{{#if false}}" + "{{else if false}}" * 10_000 + "{{/if}}", ""),
    ("{{ metadata" + ".x" * 20_000 + " | default(1) }}", 1),
    ("{{ " + "1 and " * 20_000 + "3 }}", 3),
]


@pytest.mark.parametrize("template", ESCAPES)
def test_what_reaches_for_python_is_refused_before_anything_runs(template: str) -> None:
    names = Names(groups={"g": tuple(SCOPES["fields"])}, outputs=())
    with pytest.raises(TemplateError):
        check(template, names)


@pytest.mark.parametrize("template", RUNAWAYS, ids=lambda template: template[:40])
def test_what_would_run_away_is_stopped_with_little_memory(template: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(TemplateError):
            render(template, SCOPES)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < ENOUGH_MEMORY


@pytest.mark.parametrize("template", ESCAPES)
def test_a_value_that_looks_like_a_template_stays_a_value(template: str) -> None:
    assert render("{{fields.x}}!", {"fields": {"x": template}}) == template + "!"


@pytest.mark.parametrize(("template", "expected"), LONG_CHAINS, ids=range(len(LONG_CHAINS)))
def test_what_is_long_but_flat_works(template: str, expected: Any) -> None:
    assert render(template, {"metadata": {}}) == expected


def test_the_time_of_a_rendering_is_bounded() -> None:
    ticks = iter(range(10))
    budget = Budget(clock=lambda: next(ticks))
    budget.spend(1_000)
    with pytest.raises(FaultError, match="longer than 1 s"):
        budget.spend(1_000)


def test_time_in_which_a_rendering_does_not_run_does_not_count() -> None:
    budget = Budget()
    time.sleep(SECONDS + 0.1)  # longer than the limit, on every machine
    budget.spend(1_000)


def test_iterations_are_counted_over_all_loops() -> None:
    fields = {"fields": {"l": [0] * (ITERATIONS // 2)}}
    each = "{{#each fields.l}}{{/each}}"
    assert render(each * 2, fields) == ""
    with pytest.raises(TemplateError, match="10,000"):
        render(each * 2 + "{% for x in [1] %}{% endfor %}", fields)


def test_an_output_of_exactly_the_bound_is_given() -> None:
    half = "é" * (TEXT_BYTES // 4)
    scopes = {"fields": {"x": half}}
    assert len(render("{{fields.x}}{{fields.x}}", scopes)) == TEXT_BYTES // 2
    with pytest.raises(TemplateError, match="longer"):
        render("{{fields.x}}{{fields.x}}.", scopes)


def test_a_value_after_a_backslash_cannot_end_its_json_string() -> None:
    def rendered(value: str) -> str:
        return str(render('{"a":"\\{{fields.x}}"}', {"fields": {"x": value}}, None, Escaping.JSON))

    assert json.loads(rendered("n")) == {"a": "\n"}
    for value in ('","admin":true,"x":"', "\\", "\n", "plain"):
        with pytest.raises(TemplateError) as caught:
            rendered(value)
        assert caught.value.id == "template-json"


WORDS = r"""
    {{ }} {{{ }}} {% %} {# #} ${{ {{! {{!-- --}} {{/* */}} {{- -}} {{~ ~}} {{# {{/ {{else}} {{end}}
    if #if #each /if /each else elif endif for in endfor raw endraw range with and or not is
    fields.a fields .User.g_a input/g/a output/x/y system/requestId this . ../ @index @root $x $
    upper default printf json yaml date url random index items matches ( ) [ ] { } , : | ~ + - * /
    // % ** == != < <= = := ' " ` \ 1 0 1.5 1e3 99999999999999999999 true null 'a' "%s" _x é 😀
"""
PIECES = st.sampled_from([*WORDS.split(), "\n", "\ud800", "\x00"])
TEMPLATES = st.lists(PIECES, max_size=25).flatmap(
    lambda pieces: st.sampled_from(["", " "]).map(lambda glue: glue.join(pieces))
)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | FLOATS | st.text(st.characters(), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=8,
)
ARGUMENTS = st.lists(
    st.sampled_from(["fields.a", "fields.b", "''", "'a'", "'%d'", "0", "-1", "2.5", "null", "[]"]),
    max_size=4,
)
FUNCTION_NAMES = st.sampled_from(sorted(FUNCTIONS))


def code_of_error(run: Callable[[], Any]) -> str | None:
    """Return the id of the TemplateError that is raised, or None; anything else passes through."""
    try:
        run()
    except TemplateError as error:
        return error.id if min(error.line, error.column) >= 1 else "no position"
    return None


@settings(max_examples=400)
@given(TEMPLATES, st.sampled_from(list(Escaping)))
def test_no_template_raises_anything_but_a_template_error(template: str, target: Escaping) -> None:
    names = Names(groups={"g": ("a",)}, outputs=("x",))
    scopes = {"fields": {"a": "v"}}
    for run in (
        lambda: render(template, scopes, names, target),
        lambda: evaluate_when(template, scopes, names),
    ):
        code = code_of_error(run)
        assert code is None or code.startswith("template-")


@settings(max_examples=400)
@given(FUNCTION_NAMES, ARGUMENTS, JSON_VALUES, JSON_VALUES)
def test_no_function_raises_anything_but_a_template_error(
    function: str, arguments: list[str], left: Any, right: Any
) -> None:
    template = f"{{{{ {function}({', '.join(arguments)}) }}}}!"
    code = code_of_error(lambda: render(template, {"fields": {"a": left, "b": right}}))
    assert code is None or code.startswith("template-")


@settings(max_examples=200)
@given(JSON_VALUES)
def test_no_value_breaks_out_of_a_json_string(value: Any) -> None:
    template = '{"a":"x{{fields.v}}","b":{{fields.v}},"c":"\\"{{fields.v}}"}'
    found = json.loads(str(render(template, {"fields": {"v": value}}, None, Escaping.JSON)))
    assert list(found) == ["a", "b", "c"]
    assert all(isinstance(found[key], str) for key in "ac")


@given(st.text(string.punctuation + string.ascii_letters + "é \n", max_size=40))
def test_an_escaped_text_can_be_read_back_letter_by_letter(text: str) -> None:
    escaped = jira_escape(text)
    plain = escaped
    for sign in "{}[]|!*_+-^~#.":
        plain = plain.replace(f"\\{sign}", sign)
    assert plain.replace("&#92;", "\\") == text.replace("&#92;", "\\")
    assert "\\\\" not in escaped
