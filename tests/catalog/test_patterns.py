"""Patterns of documents and callers: compiled by RE2 within bounds, or refused with a reason."""

import resource

import pytest

from catalog.forms import Form, FormError
from catalog.patterns import MAX_LENGTH, PatternError, compile_pattern
from catalog.templating import Escaping, Names, TemplateError, render

MEGABYTES_IN_KIB = 64 * 1024


@pytest.mark.parametrize(
    "pattern",
    ["(" * 20_000 + ")" * 20_000, "(a)" * 1_500, r"(\pL{1,50}){20}", "(", "(?=a)", "\ud800"],
)
def test_a_pattern_that_is_too_large_or_invalid_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError, match=r"characters|RE2"):
        compile_pattern(pattern)


@pytest.mark.parametrize("pattern", ["(" * 500 + ")" * 500, "(a)" * 333, "^.{0,1000}$"])
def test_the_largest_patterns_take_little_memory(pattern: str) -> None:
    assert len(pattern) <= MAX_LENGTH
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    compile_pattern(pattern).search("a" * 1_000)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MEGABYTES_IN_KIB


def test_what_companies_write_is_taken() -> None:
    assert compile_pattern(r"^[\pL\pN _-]{1,200}$").search("Grüße 1")
    assert not compile_pattern(r"^[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63}){0,8}$").search("a..b")


def test_every_place_that_takes_a_pattern_refuses_a_large_one() -> None:
    large = "a" * (MAX_LENGTH + 1)
    field = {"id": "a", "name": "A", "type": "string", "validation": {"pattern": large}}
    schema = {"type": "string", "pattern": large}
    other = {"id": "a", "name": "A", "type": "json", "validation": {"schema": schema}}
    for one in (field, other):
        with pytest.raises(FormError, match="at most 1,000"):
            Form.from_mapping({"groups": [{"id": "g", "name": "G", "fields": [one]}]})
    scopes = {"fields": {"a": "x", "p": large}}
    names = Names(groups={"g": ("a", "p")}, outputs=())
    with pytest.raises(TemplateError, match="too large"):
        render("{{matches(fields.a, fields.p)}}", scopes, names, Escaping.NONE)
