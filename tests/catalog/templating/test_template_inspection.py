"""What is told of a template before it runs is certain: held against what it does when it runs."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.templating import Names, TemplateError, check, inspect, render
from catalog.templating.functions import FUNCTIONS, LAZY
from catalog.templating.value_types import (
    BOOLEAN,
    LIST,
    MAPPING,
    NULL,
    NUMBER,
    TEXT,
    ValueShape,
    mapping_of,
    shape_of,
)

FIELDS: dict[str, tuple[ValueShape, st.SearchStrategy[Any]]] = {
    "text": (ValueShape(TEXT), st.sampled_from(["a", "", "12", "north"])),
    "number": (ValueShape(NUMBER), st.sampled_from([0, 1, 2.5, -3, 12])),
    "flag": (ValueShape(BOOLEAN), st.booleans()),
    "choice": (ValueShape(TEXT, choices=("north", "south")), st.sampled_from(["north", "south"])),
    "texts": (ValueShape(LIST, item=ValueShape(TEXT)), st.just(["b", "a"])),
    "numbers": (ValueShape(LIST, item=ValueShape(NUMBER)), st.sampled_from([[3, 1], []])),
    "map": (
        mapping_of({"key": ValueShape(TEXT), "deep": mapping_of({"n": ValueShape(NUMBER)})}),
        st.just({"key": "k", "deep": {"n": 1}}),
    ),
    "open": (ValueShape(MAPPING), st.just({"some": "thing"})),
}
NAMES = Names(groups={"g": tuple(FIELDS)}, outputs=())
SHAPES = {
    "fields": mapping_of({name: shape for name, (shape, _) in FIELDS.items()}),
    "metadata": shape_of({"runbook": "here", "levels": [1, 2]}),
}
PATHS = [f"fields.{name}" for name in FIELDS]
PATHS += ["fields.map.key", "fields.map.deep.n", "fields.map.nothing", "fields.text.x"]
PATHS += ["metadata.runbook", "metadata.levels", "metadata.levels[0]", "metadata.nothing"]
PATHS += ["fields.texts[1]", "fields.open.some", "fields.open.other", "fields.map[fields.text]"]
LITERALS = ['"a"', '"north"', '"west"', "1", "0", "true", "null", "[1, 2]", '["a"]', '{"k": 1}']
OPERATORS = ["+", "-", "*", "/", "//", "%", "~", "==", "!=", "<", ">=", "in", "not in", "and", "or"]
CALLED = sorted(set(FUNCTIONS) - LAZY)

EXPRESSIONS = st.recursive(
    st.sampled_from([*PATHS, *LITERALS]),
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(OPERATORS), inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("not {}".format, inner),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds("{}({})".format, st.sampled_from(CALLED), inner),
        st.builds("{}({}, {})".format, st.sampled_from(CALLED), inner, inner),
        st.builds("({} | {})".format, inner, st.sampled_from(CALLED)),
        st.builds("({} is {})".format, inner, st.sampled_from(["defined", "string", "none"])),
    ),
    max_leaves=5,
)
VALUES = st.fixed_dictionaries({name: values for name, (_, values) in FIELDS.items()})


def kind(value: Any) -> int:
    if value is None:
        return NULL
    if isinstance(value, bool):
        return BOOLEAN
    if isinstance(value, str):
        return TEXT
    if isinstance(value, int | float):
        return NUMBER
    return LIST if isinstance(value, list) else MAPPING


def scopes(values: dict[str, Any]) -> dict[str, Any]:
    return {
        "fields": values,
        "metadata": {"runbook": "here", "levels": [1, 2]},
        "request": {
            "id": "7b0c0000-0000-4000-8000-000000000000",
            "timestamp": "2026-03-05T14:07:09Z",
        },
    }


def straight(expression: str) -> bool:
    """Return whether every part is worked out: none is behind a decision."""
    words = (
        " if ",
        " and ",
        " or ",
        "default(",
        "coalesce(",
        "required(",
        "| default",
        "| required",
    )
    # A comparison chain stops at what does not hold.
    return not any(word in expression for word in words) and "| coalesce" not in expression


def finds_nothing(told: str) -> bool:
    """Return whether a key has a kind by which nothing is found: ``not`` and conditions take it."""
    return "index needs" in told or "lookup needs" in told


@settings(max_examples=600)
@given(expression=EXPRESSIONS, values=VALUES)
def test_what_is_told_to_fail_fails_and_the_result_is_of_a_kind_that_was_told(
    expression: str, values: dict[str, Any]
) -> None:
    template = f"{{{{ {expression} }}}}"
    try:
        check(template, NAMES)
    except TemplateError:
        return
    told = inspect(template, NAMES, SHAPES)
    failing = [one for one in told.diagnostics if one.id != "template-never"]
    failing = [one for one in failing if not finds_nothing(str(one))]

    try:
        value = render(template, scopes(values), NAMES)
    except TemplateError:
        return

    assert not (failing and straight(expression)), [str(one) for one in failing]
    if not failing:
        assert told.shape.kinds & kind(value), (told.shape, value)


@settings(max_examples=200)
@given(
    path=st.sampled_from(PATHS),
    sign=st.sampled_from(["==", "!="]),
    literal=st.sampled_from(LITERALS[:7]),
    values=VALUES,
)
def test_a_comparison_that_is_told_to_come_out_one_way_does(
    path: str, sign: str, literal: str, values: dict[str, Any]
) -> None:
    template = f"{{{{ {path} {sign} {literal} }}}}"
    told = inspect(template, NAMES, SHAPES)

    for remark in told.diagnostics:
        if remark.id == "template-never":
            outcome = "true" if sign == "!=" else "false"
            assert f"always {outcome}" in remark.message
            assert str(render(template, scopes(values), NAMES)).lower() == outcome


@settings(max_examples=400)
@given(
    st.lists(
        st.sampled_from(
            [
                "{{#each fields.texts}}",
                "{{/each}}",
                "{{range $k, $v := .User.g_map}}",
                "{{end}}",
                "{% for a in fields.numbers if a > 1 %}",
                "{% endfor %}",
                "{{#with fields.map}}",
                "{{/with}}",
                "{{this}}",
                "{{.}}",
                "{{$v}}",
                "{{a}}",
                "{{key}}",
                "{{../key}}",
                "{{@index}}",
                "{{loop.first}}",
                "{{#if fields.flag}}",
                "{{else}}",
                "{{/if}}",
                "x",
            ]
        ),
        max_size=8,
    ).map("".join)
)
def test_blocks_of_any_kind_are_looked_through_without_failing(template: str) -> None:
    try:
        check(template, NAMES)
    except TemplateError:
        return

    assert isinstance(inspect(template, NAMES, SHAPES).diagnostics, tuple)
