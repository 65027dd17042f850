"""The tree of a YAML document, built from the parser's events. Reading files does not belong here.

The builder has a stack of its own instead of recursion, so that depth, size and alias expansion are
bounded before anything grows.
"""

import math
import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple, NoReturn

import yaml

MAX_DEPTH = 64
MAX_SCALAR = 256 * 1024
MAX_NUMBER = 100
# Characters of the document with every alias written out; a document without aliases stays below.
MAX_EXPANDED = 4_000_000
_NODE_WEIGHT = 4

_STRING_TAGS = frozenset({None, "!", "tag:yaml.org,2002:str"})
_COLLECTION_TAGS = frozenset({None, "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"})

# The core schema of YAML 1.2: `NO`, `on`, `1:30:00`, `0b1` and `2024-01-01` match nothing here.
_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NUMBERS_BEGIN_WITH = frozenset("+-.0123456789")
_INTEGERS = ((_INTEGER, 10), (_OCTAL, 8), (_HEXADECIMAL, 16))
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


class Position(NamedTuple):
    """A place in a file: line and column, both counted from 1, columns in characters."""

    line: int
    column: int


class DocumentError(Exception):
    """A text that is not a document: file, line and column of the place, and what to change."""

    def __init__(self, file: str, line: int, column: int, message: str) -> None:
        super().__init__(f"{file}:{line}:{column}: {message}")
        self.file = file
        self.line = line
        self.column = column
        self.message = message


@dataclass(slots=True)
class YamlNode:
    """What every node has: its place, its size with aliases written out, and its height."""

    start: Position
    weight: int = _NODE_WEIGHT
    height: int = 1

    def adopt(self, child: "YamlNode") -> None:
        """Count a child in."""
        self.weight += child.weight
        self.height = max(self.height, child.height + 1)


@dataclass(slots=True)
class ScalarNode(YamlNode):
    """A value; ``plain`` says that it was not quoted, ``source`` is how it was written."""

    value: Any = None
    source: str = ""
    plain: bool = False


@dataclass(slots=True)
class ListNode(YamlNode):
    """A list."""

    items: list[YamlNode] = field(default_factory=list)


@dataclass(slots=True)
class MappingNode(YamlNode):
    """A mapping with its text keys and their places."""

    entries: dict[str, YamlNode] = field(default_factory=dict)
    keys: dict[str, Position] = field(default_factory=dict)


@dataclass(slots=True)
class _Frame:
    node: ListNode | MappingNode
    anchor: str | None
    key: str | None = None
    wants_key: bool = False


class TreeBuilder:
    """Builds the tree from events, with a stack of its own instead of recursion."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._stack: list[_Frame] = []
        self._anchors: dict[str, YamlNode] = {}
        self._weight = 0
        self._root: YamlNode | None = None

    def result(self) -> MappingNode:
        """Return the finished root; a document that is empty or no mapping is refused."""
        root = self._root
        if root is None or (isinstance(root, ScalarNode) and root.value is None):
            raise DocumentError(self._file, 1, 1, "the document is empty")
        if not isinstance(root, MappingNode):
            self._refuse(root.start, "a catalog document is a mapping of keys to values")
        return root

    def feed(self, event: yaml.Event) -> None:
        """Take the next event of the parser."""
        if isinstance(event, yaml.CollectionEndEvent):
            self._close()
            return
        mark = event.start_mark
        where = Position(mark.line + 1, mark.column + 1) if mark else Position(1, 1)
        match event:
            case yaml.ScalarEvent():
                self._scalar(event, where)
            case yaml.AliasEvent():
                self._alias(event, where)
            case yaml.MappingStartEvent():
                self._open(event, MappingNode(where))
            case yaml.SequenceStartEvent():
                self._open(event, ListNode(where))
            case yaml.DocumentStartEvent() if self._root is not None:
                self._refuse(where, "one file holds one document; put the second in its own file")

    def _scalar(self, event: yaml.ScalarEvent, where: Position) -> None:
        text = event.value
        if len(text) > MAX_SCALAR:
            self._refuse(where, f"a value has {len(text):,} characters; at most {MAX_SCALAR:,}")
        if event.tag not in _STRING_TAGS:
            self._refuse_tag(where, event.tag)
        frame = self._stack[-1] if self._stack else None
        if frame is not None and frame.wants_key:
            self._take_key(frame, text, where)
            return
        plain = bool(event.implicit[0]) and event.tag is None
        value = self._resolve(text, where) if plain else text
        node = ScalarNode(where, len(text) + _NODE_WEIGHT, 1, value, text, plain)
        self._grow(where, node.weight)
        self._remember(event.anchor, node)
        self._add(node)

    def _resolve(self, text: str, where: Position) -> Any:
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        if text[0] not in _NUMBERS_BEGIN_WITH:
            return text
        if len(text) > MAX_NUMBER and _is_number(text):
            self._refuse(where, f"a number has {len(text):,} digits; quote it if it is a text")
        for pattern, base in _INTEGERS:
            if pattern.fullmatch(text):
                return int(text.replace("0o", "", 1) if base == 8 else text, base)  # noqa: PLR2004 -- octal digits
        if _NOT_FINITE.fullmatch(text):
            self._refuse(where, f"{text} is not a JSON number; quote it if it is a text")
        return self._float(text, where) if _FLOAT.fullmatch(text) else text

    def _float(self, text: str, where: Position) -> float:
        number = float(text)
        if math.isinf(number):
            self._refuse(where, f"{text} is too large for a number; quote it if it is a text")
        return number

    def _alias(self, event: yaml.AliasEvent, where: Position) -> None:
        node = self._anchors.get(str(event.anchor))
        if node is None:
            self._refuse(where, f"no anchor &{event.anchor} is complete before this alias")
        if self._is_key():
            self._refuse(where, "an alias cannot be a key; write the key out")
        if len(self._stack) + node.height > MAX_DEPTH:
            self._refuse_depth(where)
        self._grow(where, node.weight)
        self._add(node)

    def _open(self, event: yaml.CollectionStartEvent, node: ListNode | MappingNode) -> None:
        if event.tag not in _COLLECTION_TAGS:
            self._refuse_tag(node.start, event.tag)
        if self._is_key():
            self._refuse(
                node.start,
                "a key must be a text; if this is a template such as {{fields.name}}, quote it",
            )
        if len(self._stack) >= MAX_DEPTH:
            self._refuse_depth(node.start)
        self._grow(node.start, node.weight)
        self._stack.append(_Frame(node, event.anchor, wants_key=isinstance(node, MappingNode)))

    def _close(self) -> None:
        frame = self._stack.pop()
        # Remembered only now: an anchor cannot be used inside itself.
        self._remember(frame.anchor, frame.node)
        self._add(frame.node)

    def _add(self, node: YamlNode) -> None:
        if not self._stack:
            self._root = node
            return
        frame = self._stack[-1]
        frame.node.adopt(node)
        if isinstance(frame.node, ListNode):
            frame.node.items.append(node)
        elif frame.key is not None:
            frame.node.entries[frame.key] = node
            frame.key = None
            frame.wants_key = True

    def _is_key(self) -> bool:
        return bool(self._stack) and self._stack[-1].wants_key

    def _take_key(self, frame: _Frame, key: str, where: Position) -> None:
        node = frame.node
        if not isinstance(node, MappingNode):
            return
        first = node.keys.get(key)
        if first is not None:
            self._refuse(where, f"duplicate key {key[:80]!r}; first in line {first.line}")
        if key == "<<":
            self._refuse(where, "merge keys (<<) are not supported; write the keys out")
        self._grow(where, len(key))
        node.weight += len(key)
        node.keys[key] = where
        frame.key = key
        frame.wants_key = False

    def _remember(self, anchor: str | None, node: YamlNode) -> None:
        if anchor is not None:
            self._anchors[anchor] = node

    def _grow(self, where: Position, weight: int) -> None:
        self._weight += weight
        if self._weight > MAX_EXPANDED:
            self._refuse(where, "the aliases make this document too large; write fewer of them")

    def _refuse_depth(self, where: Position) -> NoReturn:
        self._refuse(where, f"nested deeper than {MAX_DEPTH} levels")

    def _refuse_tag(self, where: Position, tag: str | None) -> NoReturn:
        self._refuse(where, f"the tag {(tag or '')[:80]!r} is not supported; write a plain value")

    def _refuse(self, where: Position, message: str) -> NoReturn:
        raise DocumentError(self._file, where.line, where.column, message)


def _is_number(text: str) -> bool:
    return any(kind.fullmatch(text) for kind in (_FLOAT, _OCTAL, _HEXADECIMAL))
