"""The short way of plain templates gives what the renderer gives, letter by letter."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.templating import Escaping, Names, SecretValue, TemplateError, render
from catalog.templating.contract import FaultError
from catalog.templating.engine import _link
from catalog.templating.renderer import Renderer

NAMES = Names(groups={"g": ("a", "b")}, outputs=("one",))
PATHS = ["fields.a", ".User.g_b", "metadata.name", "outputs.one.x.y", "request.id", "input/g/a"]
TEXTS = st.text(alphabet='ab1é \\{}[]|!*_+-^~#.h2q\n"&<', max_size=12)
VALUES: st.SearchStrategy[Any] = st.one_of(
    TEXTS,
    st.booleans(),
    st.none(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.lists(TEXTS, max_size=2),
    st.dictionaries(TEXTS, TEXTS, max_size=2),
    TEXTS.map(SecretValue),
)
TEMPLATES = st.lists(
    st.one_of(
        st.sampled_from(PATHS).map("{{{{{}}}}}".format), st.sampled_from(["x ", "h1.", "\n"])
    ),
    min_size=2,
    max_size=6,
).map("".join)


def the_long_way(template: str, scopes: dict[str, Any], target: Escaping, *, reveal: bool) -> Any:
    linked = _link(template, NAMES, condition=False)
    try:
        return Renderer(linked, scopes, NAMES, reveal=reveal).render(target)
    except FaultError as fault:
        return ("refused", fault.id)


def the_usual_way(template: str, scopes: dict[str, Any], target: Escaping, *, reveal: bool) -> Any:
    try:
        return render(template, scopes, NAMES, target, reveal=reveal)
    except TemplateError as error:
        return ("refused", error.id)


@settings(max_examples=400)
@given(
    template=TEMPLATES,
    first=VALUES,
    second=VALUES,
    target=st.sampled_from(list(Escaping)),
    reveal=st.booleans(),
)
def test_the_short_way_and_the_long_way_agree(
    template: str, first: Any, second: Any, target: Escaping, *, reveal: bool
) -> None:
    scopes = {
        "fields": {"a": first, "b": second},
        "metadata": {"name": second},
        "outputs": {"one": {"x": {"y": first}}},
        "request": {"id": "7b0c"},
    }
    expected = the_long_way(template, scopes, target, reveal=reveal)

    assert the_usual_way(template, scopes, target, reveal=reveal) == expected


def test_what_is_not_there_is_told_with_its_place() -> None:
    with pytest.raises(TemplateError) as caught:
        render("a\n  {{metadata.name}}", {"metadata": {}}, NAMES)

    assert (caught.value.id, caught.value.line, caught.value.column) == ("template-undefined", 2, 3)


def test_a_field_without_a_value_is_empty_and_a_text_beyond_the_bound_is_refused() -> None:
    assert render("<{{fields.a}}>", {"fields": {}}, NAMES) == "<>"
    with pytest.raises(TemplateError, match="longer than"):
        render("{{fields.a}}{{fields.a}}", {"fields": {"a": "x" * 600_000}}, NAMES)
