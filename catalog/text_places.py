"""Maps a position in a text to its YAML file, whatever style the text is written in."""

import re
from collections.abc import Iterator
from itertools import islice

from catalog.yaml_tree import Position

_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_BEFORE = re.compile(r"(?:[&!]\S*\s+)*")
# How many characters of the file stand for one character of the text; others are of two.
_ESCAPES = {"x": 4, "u": 6, "U": 10}


def place_in_file(file: str, start: Position, text: str, inside: Position) -> Position | None:
    """Return the place in the file of a place inside of a text whose value starts at ``start``.

    Folding and indentation change white space only, so that the characters between are counted.
    None where that does not lead to the same character.
    """
    offset = _offset(text, inside)
    lines = _LINE_BREAK.split(file)
    if offset is None or start.line > len(lines):
        return None
    before = sum(not character.isspace() for character in text[:offset])
    found = next(islice(_characters(lines, start), before, None), None)
    if found is None:
        return None
    where, written = found
    return where if written in {text[offset], "\\"} else None


def _characters(lines: list[str], start: Position) -> Iterator[tuple[Position, str]]:
    """Yield what is not white of a text as it is written, each character with its place."""
    first = lines[start.line - 1]
    column = start.column - 1
    anchor = _BEFORE.match(first, column)
    column = anchor.end() if anchor else column
    style = first[column : column + 1]
    if style in {"|", ">"}:
        line, column, style = start.line, 0, ""
    else:
        line = start.line - 1
        column += style in {'"', "'"}
    for number in range(line, len(lines)):
        row = lines[number]
        while column < len(row):
            if not row[column].isspace() and not _is_white_escape(row, column, style):
                yield Position(number + 1, column + 1), row[column]
            column += _width(row, column, style)
        column = 0


def _offset(text: str, inside: Position) -> int | None:
    lines = text.split("\n")
    if inside.line > len(lines) or inside.column > len(lines[inside.line - 1]):
        return None
    return sum(len(line) + 1 for line in lines[: inside.line - 1]) + inside.column - 1


def _width(row: str, column: int, quote: str) -> int:
    if quote == "'" and row[column : column + 2] == "''":
        return 2
    if quote == '"' and row[column] == "\\":
        return _ESCAPES.get(row[column + 1 : column + 2], 2)
    return 1


def _is_white_escape(row: str, column: int, quote: str) -> bool:
    return (
        quote == '"' and row[column] == "\\" and row[column + 1 : column + 2] in {*"nrtv fNLP_", ""}
    )
