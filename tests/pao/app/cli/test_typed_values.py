"""What a person types becomes the value that the field means."""

from pathlib import Path
from typing import Any

import pytest

from catalog.forms import Form
from pao.app.cli.exits import CliError
from pao.app.cli.fields import parse_assignments


def form(**field: Any) -> Form:
    return Form.from_mapping({"groups": [{"id": "g", "fields": [{"id": "a", **field}]}]})


def assigned(kind: str, text: str) -> Any:
    return parse_assignments([f"a={text}"], form(type=kind))["a"]


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
    assert parse_assignments(["a=@x"], form(type="select", enum=["@x"])) == {"a": "@x"}


def test_a_file_keeps_its_name(tmp_path: Path) -> None:
    file = tmp_path / "my key.pem"
    file.write_text("pem")
    assert assigned("file", str(file)) == "data:text/plain;name=my%20key.pem;base64,cGVt"


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
