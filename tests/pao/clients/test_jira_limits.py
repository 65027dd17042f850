"""Texts that are cut to what JIRA takes, and stay whole markup."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pao.clients.jira.limits import LINE_LIMIT, cut_line, cut_wiki, first_units, units

NOTE = "(cut)"


def test_lengths_are_those_of_java() -> None:
    assert units("aä€") == 3
    assert units("\U0001f600") == units("\ud800x") == 2


@given(st.text(max_size=40), st.integers(min_value=0, max_value=30))
def test_a_beginning_fits_and_halves_no_character(text: str, most: int) -> None:
    found = first_units(text, most)
    assert text.startswith(found)
    assert most - 1 <= units(found) <= most or found == text


def test_a_line_is_cut_with_an_ellipsis() -> None:
    assert cut_line("x" * 255) == "x" * 255
    cut = cut_line("\U0001f600" * 128)
    assert units(cut) == LINE_LIMIT
    assert cut.endswith("\N{HORIZONTAL ELLIPSIS}")


@given(st.text(alphabet="ab\\{}code\n\U0001f600 ", max_size=600))
def test_a_cut_text_fits_and_ends_with_its_note(text: str) -> None:
    cut = cut_wiki(text, NOTE, 200)
    assert units(cut) <= 200
    assert cut == text or cut.endswith(f"\n\n{NOTE}")


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("{code:json}\n" + "x\n" * 300, "\n{code}\n\n(cut)"),
        ("{panel:title=a}\n{code}\n" + "x\n" * 300, "\n{code}\n{panel}\n\n(cut)"),
        ("{code}x{code}\n{code} {panel} {code}\n" + "x\n" * 300, "x\n\n(cut)"),
        ("\\{code\\} " + "x\n" * 300, "x\n\n(cut)"),
    ],
)
def test_what_is_open_where_a_text_is_cut_is_closed(text: str, end: str) -> None:
    assert cut_wiki(text, NOTE, 200).endswith(end)


def test_a_cut_ends_after_a_line_and_not_within_an_escape() -> None:
    assert cut_wiki("one line\n" * 100, NOTE, 200).endswith("one line\n\n(cut)")
    assert "\\\n" not in cut_wiki("\\*" * 200, NOTE, 201)
