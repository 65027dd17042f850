"""Wiki markup within a line: marks, colors, links, mentions, and the escapes of user values.

Escaped characters are replaced by placeholders before markup is parsed and restored afterwards, so
a user's value stays literal and never becomes markup.
"""

import re
from collections.abc import Iterator
from typing import Any

Node = dict[str, Any]

_ESCAPE = re.compile(r"&#92;|\\([{}\[\]|!*_+\-^~#.?])")
_MARKUP_CHARACTERS = "\\{}[]|*_+-^~"
_BREAK = re.compile(r"\\\\(?!\\)|\n")
_ASCII = 128
# Unicode's private-use planes: real text leaves at least one stretch of them unused.
_PRIVATE = range(0xF0000, 0x10FF00, _ASCII)

# Every body excludes its own mark, so that no text is scanned twice for an end. Within a word, a
# mark is plain text, and values keep it there without an escape (catalog/templating/wiki.py).
_MARKUP = re.compile(
    r"""
    \{\{(?P<code>[^{}\n]+)\}\}
    | \[(?:(?P<title>[^\[\]|\n]+)\|)?(?P<url>(?:https?://|mailto:)[^\s\[\]|]+)\]
    | (?<!\w)\*(?=\S)(?P<strong>(?:[^*\n]|(?<=[^\W_])\*(?=[^\W_]))+)(?<=\S)\*(?!\w)
    | (?<!\w)_(?=\S)(?P<em>(?:[^_\n]|(?<=[^\W_])_(?=[^\W_]))+)(?<=\S)_(?!\w)
    | (?<!\w)-(?=[^\s>])(?P<strike>(?:[^-\n]|(?<=[^\W_])-(?=[^\W_]))+)(?<=[^\s<])-(?!\w)
    | (?<!\w)\+(?=\S)(?P<underline>(?:[^+\n]|(?<=[^\W_])\+(?=[^\W_]))+)(?<=\S)\+(?!\w)
    | (?<!\w)\^(?=\S)(?P<sup>(?:[^\^\n]|(?<=[^\W_])\^(?=[^\W_]))+)(?<=\S)\^(?!\w)
    | (?<!\w)~(?=\S)(?P<sub>(?:[^~\n]|(?<=[^\W_])~(?=[^\W_]))+)(?<=\S)~(?!\w)
    | \[~(?P<mention>[^\[\]{}|~\s]+)\]
    | \{color:(?P<hue>[^{}\n]{1,30})\}(?P<colored>(?:[^{}\n]|\{\{[^{}\n]*\}\})+)\{color\}
    # Not within a word, nor right after an escaped character, which is part of a user's value.
    | (?<![\w\U000f0000-\U0010ffff])(?P<bare>https?://[^\s<>"|{}\[\]\\]+)
    """,
    re.VERBOSE,
)
_SHORT_HEX = 4
_ACCOUNT = "accountid:"
_AFTER_URL = ".,;:!?'*_+-^~"
_HEX = re.compile(r"#[0-9a-fA-F]{6}|#[0-9a-fA-F]{3}")
# HTML's sixteen named colors, and the others that JIRA's editor offers.
_COLORS = {
    "aqua": "#00ffff",
    "black": "#000000",
    "blue": "#0000ff",
    "brown": "#a52a2a",
    "cyan": "#00ffff",
    "fuchsia": "#ff00ff",
    "gold": "#ffd700",
    "gray": "#808080",
    "green": "#008000",
    "grey": "#808080",
    "lime": "#00ff00",
    "magenta": "#ff00ff",
    "maroon": "#800000",
    "navy": "#000080",
    "olive": "#808000",
    "orange": "#ffa500",
    "pink": "#ffc0cb",
    "purple": "#800080",
    "red": "#ff0000",
    "silver": "#c0c0c0",
    "teal": "#008080",
    "white": "#ffffff",
    "yellow": "#ffff00",
}


class Escapes:
    """The placeholders of one text: characters that do not occur in it."""

    def __init__(self, text: str) -> None:
        used = {ord(letter) // _ASCII for letter in text}
        self._base = next(base for base in _PRIVATE if base // _ASCII not in used)
        self._back = {self._base + code: chr(code) for code in range(_ASCII)}
        # NUL is never escaped, so its placeholder is free to mark what is not user text.
        self.marker = chr(self._base)

    def hide(self, text: str) -> str:
        """Return the text with a placeholder for every escaped character."""
        return _ESCAPE.sub(lambda found: chr(self._base + ord(found.group(1) or "\\")), text)

    def hide_all(self, text: str) -> str:
        """Return the text with a placeholder for every character that could be markup."""
        return text.translate(
            {ord(sign): chr(self._base + ord(sign)) for sign in _MARKUP_CHARACTERS}
        )

    def show(self, text: str) -> str:
        """Return the text with placeholders replaced by their characters."""
        return text.translate(self._back)


def inline(text: str, escapes: Escapes) -> list[Node]:
    """Return the nodes of a run of text whose escapes are hidden; none of them is empty."""
    nodes: list[Node] = []
    for number, line in enumerate(_BREAK.split(text)):
        if number:
            nodes.append({"type": "hardBreak"})
        for node in _nodes(line, escapes, ()):
            if nodes and _same_marks(nodes[-1], node):
                nodes[-1] = {**node, "text": nodes[-1]["text"] + node["text"]}
            else:
                nodes.append(node)
    return nodes


def _same_marks(one: Node, other: Node) -> bool:
    texts = one["type"] == other["type"] == "text"
    return texts and one.get("marks") == other.get("marks")


def _nodes(text: str, escapes: Escapes, marks: tuple[Node, ...]) -> Iterator[Node]:
    position = 0
    for found in _MARKUP.finditer(text):
        yield from _text(text[position : found.start()], escapes, marks)
        yield from _convert_markup(found, escapes, marks)
        position = found.end()
    yield from _text(text[position:], escapes, marks)


def _convert_markup(
    match: re.Match[str], escapes: Escapes, marks: tuple[Node, ...]
) -> Iterator[Node]:
    kind = match.lastgroup or ""
    if kind == "code":
        # In ADF, code may be a link, but not bold or italic.
        kept = tuple(mark for mark in marks if mark["type"] == "link")
        yield from _text(match["code"], escapes, (*kept, {"type": "code"}))
    elif kind == "url":
        shown = match["title"] or match["url"]
        yield from _nodes(shown, escapes, _add_mark(marks, _link(match["url"], escapes)))
    elif kind == "bare":
        yield from _link_bare_url(match["bare"], escapes, marks)
    elif kind == "mention":
        yield _mention(escapes.show(match["mention"]))
    elif kind == "colored":
        color = _color(escapes.show(match["hue"]))
        yield from _nodes(match["colored"], escapes, _add_mark(marks, color) if color else marks)
    elif kind in ("sub", "sup"):
        mark: Node = {"type": "subsup", "attrs": {"type": kind}}
        yield from _nodes(match[kind], escapes, _add_mark(marks, mark))
    else:
        yield from _nodes(match[kind], escapes, _add_mark(marks, {"type": kind}))


def _add_mark(marks: tuple[Node, ...], mark: Node) -> tuple[Node, ...]:
    """Return the marks with another one; an outer mark of the same kind stays."""
    return marks if any(one["type"] == mark["type"] for one in marks) else (*marks, mark)


def _link(url: str, escapes: Escapes) -> Node:
    return {"type": "link", "attrs": {"href": escapes.show(url)}}


def _link_bare_url(text: str, escapes: Escapes, marks: tuple[Node, ...]) -> Iterator[Node]:
    """Return a link for a bare address in the text, without the punctuation after it."""
    shown = escapes.show(text)
    end = _end_of_url(shown)
    url, rest = text[:end], text[end:]
    if "://" not in shown[:end] or shown[:end].endswith("://"):
        yield from _text(text, escapes, marks)
        return
    yield from _text(url, escapes, _add_mark(marks, _link(url, escapes)))
    yield from _text(rest, escapes, marks)


def _end_of_url(text: str) -> int:
    """Find the end of an address: before punctuation and unmatched closing brackets."""
    end, open_brackets = len(text), text.count("(") - text.count(")")
    while end:
        last = text[end - 1]
        if last == ")" and open_brackets < 0:
            open_brackets += 1
        elif last not in _AFTER_URL:
            break
        end -= 1
    return end


def _mention(name: str) -> Node:
    if name.startswith(_ACCOUNT) and name != _ACCOUNT:
        return {"type": "mention", "attrs": {"id": name.removeprefix(_ACCOUNT)}}
    return {"type": "mention", "attrs": {"id": name, "text": f"@{name}"}}


def _color(name: str) -> Node | None:
    """Return the mark of a color; None for an unknown one, so that only the text stays."""
    plain = name.strip().lower()
    found = _COLORS.get(plain) or (plain if _HEX.fullmatch(plain) else None)
    if found is None:
        return None
    if len(found) == _SHORT_HEX:
        found = "#" + "".join(digit * 2 for digit in found[1:])
    return {"type": "textColor", "attrs": {"color": found}}


def _text(text: str, escapes: Escapes, marks: tuple[Node, ...]) -> Iterator[Node]:
    if not text:
        return
    node: Node = {"type": "text", "text": escapes.show(text)}
    if marks:
        node["marks"] = list(marks)
    yield node
