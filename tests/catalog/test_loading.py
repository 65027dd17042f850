"""Reading YAML: scalars, positions, bounds, and that nothing but our own error comes out."""

import re
from contextlib import suppress
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from catalog.loading import DocumentError, Position, YamlDocument, json_path, load_document


def read(text: str | bytes) -> YamlDocument:
    return load_document(text, file="item.yaml")


def refusal(text: str | bytes) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        read(text)
    return caught.value


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("NO", "NO"),
        ("on", "on"),
        ("yes", "yes"),
        ("1:30:00", "1:30:00"),
        ("2024-01-01", "2024-01-01"),
        ("0b11", "0b11"),
        ("1_000", "1_000"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("0x1F", 31),
        ("0o17", 15),
        ("010", 10),
        ("-7", -7),
        ("1.10", 1.1),
        ("-.5e3", -500.0),
        ('"1"', "1"),
        ("'true'", "true"),
        ("!!str 5", "5"),
    ],
)
def test_scalars_follow_the_core_schema_of_yaml_1_2(written: str, value: Any) -> None:
    loaded = read(f"key: {written}\n").data["key"]

    assert (type(loaded), loaded) == (type(value), value)


def test_keys_are_texts() -> None:
    assert read("8080: a\ntrue: b\non: c\n").data == {"8080": "a", "true": "b", "on": "c"}


def test_every_node_has_its_line_and_column() -> None:
    document = read("metadata:\n  id: x\n  tags: [a, b]\n")

    assert document.position(("metadata", "id")) == Position(2, 7)
    assert document.key_position(("metadata", "id")) == Position(2, 3)
    assert document.position(("metadata", "tags")) == Position(3, 3)
    assert document.position(("metadata", "tags", 1)) == Position(3, 13)


def test_a_missing_node_stands_where_its_nearest_parent_does() -> None:
    document = read("a: 1\nmetadata:\n  id: x\n")

    assert document.position(("metadata", "owner", "team")) == Position(2, 1)
    assert document.position(("nothing",)) == Position(1, 1)


def test_columns_count_characters() -> None:
    assert read('a: ["ä😀", x]\n').position(("a", 1)) == Position(1, 11)


def test_an_unquoted_scalar_is_known_as_it_is_written() -> None:
    document = read('a: 1.10\nb: "1.10"\nc: [0x10]\n')

    assert document.source(("a",)) == "1.10"
    assert document.source(("b",)) is None
    assert document.source(("c", 0)) == "0x10"


def test_an_alias_gives_a_copy_of_its_own() -> None:
    data = read("a: &x {k: [1]}\nb: *x\n").data

    assert data == {"a": {"k": [1]}, "b": {"k": [1]}}
    assert data["a"]["k"] is not data["b"]["k"]


def test_a_byte_order_mark_and_windows_line_ends_are_read() -> None:
    assert read(b"\xef\xbb\xbfa: 1\r\nb: x\r\n").data == {"a": 1, "b": "x"}


@pytest.mark.parametrize(
    ("text", "line", "column", "part"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, 1, "duplicate key 'a'; first in line 1"),
        ("a:\n\tb: 1\n", 2, 1, "not with tabs"),
        ("a: b: c\n", 1, 5, "quote a value that contains ': '"),
        ("a: {{fields.name}}\n", 1, 5, "if this is a template"),
        ('a: "x\n', 1, 4, "quotation mark is not closed"),
        ("a: [1, 2\n", 2, 1, "'[' is not closed"),
        ("a: @x\n", 1, 4, "starts with @"),
        ("a: *b\n", 1, 4, "no anchor &b"),
        ("a: &a [*a]\n", 1, 8, "no anchor &a is complete"),
        ("a: &a {k: 1}\nb: {<<: *a}\n", 2, 5, "merge keys"),
        ("a: !!python/object/apply:os.getcwd []\n", 1, 4, "the tag"),
        ("a: .inf\n", 1, 4, "not a JSON number"),
        ("a: 1e999\n", 1, 4, "too large"),
        ("a: " + "9" * 5000, 1, 4, "5,000 digits"),
        ("a: \x07\n", 1, 4, "control character"),
        ("- a\n", 1, 1, "is a mapping"),
        ("", 1, 1, "empty"),
        ("# nothing\n", 1, 1, "empty"),
        ("a: 1\n---\nb: 2\n", 2, 1, "one document"),
        ("a: \ud800\n", 1, 1, "Unicode"),
        (b"a: 1\nb: \xff\n", 2, 4, "UTF-8"),
        (b"\x00\x01\x02\x03", 1, 1, "control character"),
        ("a: " + "[" * 20_000, 1, 67, "deeper than 64"),
        ("a: '" + "x" * 300_000 + "'\n", 1, 4, "at most 262,144"),
        (b"a: " + b"x" * 10_000_000, 1, 1, "at most 1,000,000"),
    ],
)
def test_what_is_no_document_is_refused_where_it_stands(
    text: str | bytes, line: int, column: int, part: str
) -> None:
    error = refusal(text)

    assert (error.file, error.line, error.column) == ("item.yaml", line, column)
    assert part in error.message


def test_an_alias_bomb_is_refused_before_it_grows() -> None:
    lines = ["a: &a [lol, lol]"]
    lines += [
        f"{y}: &{y} [{', '.join([f'*{x}'] * 9)}]"
        for x, y in zip("abcdefgh", "bcdefghi", strict=True)
    ]

    assert "aliases" in refusal("\n".join(lines)).message


def test_a_long_text_cannot_be_multiplied_by_aliases() -> None:
    text = "a: &a " + "x" * 200_000 + "\nb: [" + ", ".join(["*a"] * 100) + "]\n"

    assert "aliases" in refusal(text).message


def test_aliases_cannot_nest_deeper_than_the_bound() -> None:
    lines = ["a0: &a0 [x]"]
    lines += [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 100)]

    assert "deeper" in refusal("\n".join(lines)).message


def test_a_path_is_written_as_jsonpath() -> None:
    assert json_path(("a", 0, "b-c", "d e")) == "$.a[0].b-c['d e']"


@given(st.one_of(st.text(), st.binary(), st.text(alphabet="a: -[]{}&*!|>'\"#%@\n\t<?,1.")))
@example("? a\n: b")
@example("a: &x *x")
@example("%TAG ! x\n---\na: 1")
def test_nothing_but_a_document_error_is_ever_raised(text: str | bytes) -> None:
    with suppress(DocumentError):
        read(text)


NUMBER_LIKE = re.compile(r"[-+]?\.?[0-9][0-9a-zA-Z.+-]*")
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    # The writer follows YAML 1.1, to which texts such as 0E0 are no numbers, and leaves them bare.
    | st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn", "Co"))).filter(
        lambda text: NUMBER_LIKE.fullmatch(text) is None
    ),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text("abcdefgh -:", min_size=1), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.text("abcdefgh", min_size=1), JSON, min_size=1))
def test_what_a_yaml_writer_wrote_is_read_back(data: dict[str, Any]) -> None:
    assert read(yaml.safe_dump(data, allow_unicode=True, width=4096)).data == data
