"""Answers that were kept read as what they were."""

import contextlib
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pao.app.cli.field_files import FieldFile, read_field_file
from pao.app.cli.prompts.saved_answers import SavedAnswers, suggested_names, write

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=100)
@given(fields=st.dictionaries(st.text(), VALUES, max_size=4), unanswered=st.lists(st.text()))
def test_what_is_kept_is_read_back(fields: dict[str, object], unanswered: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "kept.json"
        write(SavedAnswers("db", fields, unanswered), path)
        assert read_field_file(path) == FieldFile(fields, tuple(unanswered))


def test_what_is_no_character_spoils_nothing(tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    write(SavedAnswers("db", {"a": "x\udcff", "b": "y"}, ()), path)
    assert read_field_file(path).fields == {"a": "x?", "b": "y"}


def test_the_name_is_free_and_stays_in_its_folder(tmp_path: Path) -> None:
    with contextlib.chdir(tmp_path):
        check_names()


def check_names() -> None:
    assert next(suggested_names("db")) == Path("db.json")
    Path("db.json").symlink_to("nowhere")
    assert next(suggested_names("db")) == Path("db-2.json")
    assert next(suggested_names("../../etc/x")) == Path("etc-x.json")
    assert next(suggested_names("..")) == Path("answers.json")
    with pytest.raises(FileExistsError):
        write(SavedAnswers("db", {}, ()), Path("db.json"))
