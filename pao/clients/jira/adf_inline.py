"""Wiki markup within a line: bold, italic, monospace, links, and the escapes of user values.

An escaped character is swapped for a stand-in before markup is looked for and put back after, so
a user's value arrives letter by letter and never becomes markup.
"""

import re
from collections.abc import Iterator
from typing import Any

Node = dict[str, Any]

_ESCAPE = re.compile(r"&#92;|\\([{}\[\]|!*_+\-^~#.?])")
_BREAK = re.compile(r"\\\\(?!\\)|\n")
_ASCII = 128
# Planes that Unicode leaves to private use: one stretch of them is in no text that people write.
_PRIVATE = range(0xF0000, 0x10FF00, _ASCII)

# Every body excludes its own mark, so that looking for the end never goes over a text twice. Within
# a word a mark is none, and values keep it there without an escape (catalog/templating/wiki.py).
_MARKUP = re.compile(
    r"""
    \{\{(?P<code>[^{}\n]+)\}\}
    | \[(?:(?P<title>[^\[\]|\n]+)\|)?(?P<url>(?:https?://|mailto:)[^\s\[\]|]+)\]
    | (?<!\w)\*(?=\S)(?P<strong>(?:[^*\n]|(?<=[^\W_])\*(?=[^\W_]))+)(?<=\S)\*(?!\w)
    | (?<!\w)_(?=\S)(?P<em>(?:[^_\n]|(?<=[^\W_])_(?=[^\W_]))+)(?<=\S)_(?!\w)
    """,
    re.VERBOSE,
)


class Escapes:
    """The stand-ins of one text: characters that do not occur in it."""

    def __init__(self, text: str) -> None:
        used = {ord(letter) // _ASCII for letter in text}
        self._base = next(base for base in _PRIVATE if base // _ASCII not in used)
        self._back = {self._base + code: chr(code) for code in range(_ASCII)}
        # No escape stands for NUL, so its place is free to mark what is no text of the user's.
        self.marker = chr(self._base)

    def hide(self, text: str) -> str:
        """Return the text with every escaped character as its stand-in."""
        return _ESCAPE.sub(lambda found: chr(self._base + ord(found.group(1) or "\\")), text)

    def show(self, text: str) -> str:
        """Return the text with the characters that the stand-ins stand for."""
        return text.translate(self._back)


def inline(text: str, escapes: Escapes) -> list[Node]:
    """Return the nodes of a run of text whose escapes are hidden; none of them is empty."""
    nodes: list[Node] = []
    for number, line in enumerate(_BREAK.split(text)):
        if number:
            nodes.append({"type": "hardBreak"})
        nodes.extend(_nodes(line, escapes, ()))
    return nodes


def _nodes(text: str, escapes: Escapes, marks: tuple[Node, ...]) -> Iterator[Node]:
    position = 0
    for found in _MARKUP.finditer(text):
        yield from _text(text[position : found.start()], escapes, marks)
        yield from _marked(found, escapes, marks)
        position = found.end()
    yield from _text(text[position:], escapes, marks)


def _marked(found: re.Match[str], escapes: Escapes, marks: tuple[Node, ...]) -> Iterator[Node]:
    kind = found.lastgroup or ""
    if kind == "code":
        # ADF lets code be a link, but neither bold nor italic.
        kept = tuple(mark for mark in marks if mark["type"] == "link")
        yield from _text(found["code"], escapes, (*kept, {"type": "code"}))
    elif kind == "url":
        url = escapes.show(found["url"])
        link = {"type": "link", "attrs": {"href": url}}
        yield from _nodes(found["title"] or "", escapes, (*marks, link))
        if not found["title"]:
            yield from _text(found["url"], escapes, (*marks, link))
    else:
        yield from _nodes(found[kind], escapes, (*marks, {"type": kind}))


def _text(text: str, escapes: Escapes, marks: tuple[Node, ...]) -> Iterator[Node]:
    if not text:
        return
    node: Node = {"type": "text", "text": escapes.show(text)}
    if marks:
        node["marks"] = list(marks)
    yield node
