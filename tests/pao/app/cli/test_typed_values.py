"""What a person types becomes the value that the field means."""

from pathlib import Path
from typing import Any

import pytest

from pao.app.cli.exits import CliError
from pao.app.cli.fields import FormField, parse_assignments, typed


def select(choices: list[Any]) -> FormField:
    named = tuple((one, str(one)) for one in choices)
    return FormField(id="size", label="Size", type="select", choices=named)


@pytest.mark.parametrize(
    ("text", "value"), [("1", 1), ("1.0", 1), ("1e0", 1), ("true", True), ("2", "2"), ("3", "3")]
)
def test_a_choice_that_is_a_number_is_taken_in_each_spelling(text: str, value: Any) -> None:
    found = typed(select([1, "2", True]), text)
    assert (found, type(found)) == (value, type(value))


def assigned(kind: str, text: str) -> Any:
    return parse_assignments([f"a={text}"], [FormField(id="a", label="A", type=kind)])["a"]


@pytest.mark.parametrize("kind", ["string", "textarea", "password", "json"])
def test_a_value_may_be_the_content_of_a_file(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "value"
    file.write_text('{"a": 1}\n')
    expected = {"a": 1} if kind == "json" else '{"a": 1}'
    assert assigned(kind, f"@{file}") == expected


def test_a_value_that_begins_with_an_at_sign_is_written_with_two() -> None:
    assert assigned("string", "@@alice") == "@alice"
    assert assigned("string", "a@b") == "a@b"


def test_a_choice_may_begin_with_an_at_sign() -> None:
    choice = FormField(id="a", label="A", type="select", choices=(("@x", "@x"),))
    assert parse_assignments(["a=@x"], [choice]) == {"a": "@x"}


@pytest.mark.parametrize("content", [None, b"\xff"])
def test_a_file_that_is_no_text_says_what_to_write_instead(
    tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "value"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(CliError) as caught:
        assigned("string", f"@{file}")
    [detail] = caught.value.details
    assert ("@@" in detail) is (content is None)
