"""Strict YAML: text to plain data, with line and column kept for every node. No meaning here."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import yaml

from catalog.text_places import place_in_file
from catalog.yaml_hints import yaml_hint
from catalog.yaml_tree import (
    DocumentError,
    ListNode,
    MappingNode,
    Position,
    ScalarNode,
    TreeBuilder,
    YamlNode,
)

__all__ = [
    "MAX_BYTES",
    "DocumentError",
    "Path",
    "Position",
    "YamlDocument",
    "json_path",
    "load_document",
    "value_at",
    "walk_texts",
]

MAX_BYTES = 1_000_000

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Path = tuple[str | int, ...]
"""The path to a node from the document's root: keys and list indices."""


@dataclass(frozen=True)
class YamlDocument:
    """One YAML document: plain data, and for every path in it the place where it is written."""

    file: str
    root: MappingNode = field(repr=False)
    text: str = field(default="", repr=False)

    @cached_property
    def data(self) -> dict[str, Any]:
        """The document as dicts with text keys, lists and scalars of JSON; nothing is shared."""
        plain: dict[str, Any] = _plain(self.root)
        return plain

    def position(self, path: Path) -> Position:
        """Return where the node of the path is; for a path that does not exist, its nearest parent.

        The place of a scalar is its value, that of a list or mapping its key.
        """
        return self._find(path, scalar_at_key=False)

    def key_position(self, path: Path) -> Position:
        """Return where the key of the path is, for what is wrong with the key itself."""
        return self._find(path, scalar_at_key=True)

    def source(self, path: Path) -> str | None:
        """Return an unquoted scalar as it is written (``1.10``); None for everything else."""
        node: YamlNode | None = self.root
        for part in path:
            node = _child(node, part) if node else None
        return node.source if isinstance(node, ScalarNode) and node.plain else None

    def place_within(self, path: Path, inside: Position) -> Position | None:
        """Return where a place inside the text of a path is in the file; None if unknown."""
        node: YamlNode | None = self.root
        for part in path:
            node = _child(node, part) if node else None
        if not isinstance(node, ScalarNode) or not isinstance(node.value, str):
            return None
        return place_in_file(self.text, node.start, node.value, inside)

    def _find(self, path: Path, *, scalar_at_key: bool) -> Position:
        node: YamlNode = self.root
        where = node.start
        for part in path:
            child = _child(node, part)
            if child is None:
                return where
            at_key = isinstance(node, MappingNode) and (
                scalar_at_key or not isinstance(child, ScalarNode)
            )
            where = (
                node.keys[str(part)] if at_key and isinstance(node, MappingNode) else child.start
            )
            node = child
        return where


def load_document(content: bytes | str, *, file: str) -> YamlDocument:
    """Read one YAML document whose root is a mapping; raises ``DocumentError`` and nothing else.

    ``file`` is only used in messages.
    """
    text = _decode(content, file)
    builder = TreeBuilder(file)
    event: yaml.Event | None = None
    loader: Any = None
    try:
        loader = _LOADER(text)
        while (event := loader.get_event()) is not None:
            builder.feed(event)
    except yaml.YAMLError as error:
        raise _translate(error, text, file, event) from None
    finally:
        if loader is not None:
            loader.dispose()
    return YamlDocument(file, builder.result(), text)


def json_path(path: Path) -> str:
    """Write a path as JSONPath: ``$.fulfillment.manual.actions[0].config``."""
    return "$" + "".join(_json_step(part) for part in path)


def _json_step(part: str | int) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    return f".{part}" if re.fullmatch(r"[A-Za-z_][\w-]*", part) else f"[{part!r}]"


def _child(node: YamlNode, part: str | int) -> YamlNode | None:
    if isinstance(node, MappingNode):
        return node.entries.get(str(part))
    if isinstance(node, ListNode) and isinstance(part, int) and 0 <= part < len(node.items):
        return node.items[part]
    return None


def _plain(node: YamlNode) -> Any:
    # Recursion is safe: the builder refuses a height above MAX_DEPTH.
    if isinstance(node, MappingNode):
        return {key: _plain(child) for key, child in node.entries.items()}
    if isinstance(node, ListNode):
        return [_plain(child) for child in node.items]
    return node.value if isinstance(node, ScalarNode) else None


def _decode(content: bytes | str, file: str) -> str:
    try:
        raw = content.encode() if isinstance(content, str) else content
    except UnicodeEncodeError:
        raise DocumentError(file, 1, 1, "the text is not valid Unicode; save it as UTF-8") from None
    if len(raw) > MAX_BYTES:
        raise DocumentError(
            file, 1, 1, f"the document has {len(raw):,} bytes; at most {MAX_BYTES:,} are read"
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8-sig")
        where = _position_at(before, len(before))
        raise DocumentError(
            file, where.line, where.column, "this is not UTF-8 text; save the file as UTF-8"
        ) from None


def _position_at(text: str, index: int) -> Position:
    before = text[:index]
    return Position(before.count("\n") + 1, index - (before.rfind("\n") + 1) + 1)


def _translate(
    error: yaml.YAMLError, text: str, file: str, last: yaml.Event | None
) -> DocumentError:
    if isinstance(error, yaml.reader.ReaderError):
        where = _position_at(text, error.position)
        message = "a control character is not allowed here; is this a text file?"
        return DocumentError(file, where.line, where.column, message)
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem is None:
        return DocumentError(file, 1, 1, "this is not YAML")
    # An unclosed bracket or quote is reported where it begins: its end is the end of the file.
    opened = error.context_mark if "quoted" in (error.context or "") else None
    mark = opened or error.problem_mark or error.context_mark
    where = Position(mark.line + 1, mark.column + 1) if mark else Position(1, 1)
    return DocumentError(file, where.line, where.column, _explain(error, text, where, last))


def _explain(
    error: yaml.MarkedYAMLError, text: str, where: Position, last: yaml.Event | None
) -> str:
    problem = str(error.problem)
    lines = text.split("\n")
    line = lines[where.line - 1] if where.line <= len(lines) else ""
    if line[where.column - 1 : where.column] == "\t":
        return "not YAML: indent with spaces, not with tabs"
    hint = yaml_hint(problem, lines, where, last)
    return f"not YAML: {problem}" + (f"; {hint}" if hint else "")


def value_at(data: Any, path: Path) -> Any:
    """Return the part of plain data that a path leads to, None where there is nothing."""
    for part in path:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def walk_texts(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Yield every text below a value with its path, in the order of the document.

    The value must not change meanwhile.
    """
    if isinstance(value, str):
        yield path, value
        return
    waiting = [(path, _members(value))]
    while waiting:
        path, members = waiting[-1]
        for key, child in members:
            if isinstance(child, str):
                yield (*path, key), child
            elif isinstance(child, dict | list):
                waiting.append(((*path, key), _members(child)))
                break
        else:
            waiting.pop()


def _members(value: Any) -> Iterator[tuple[str | int, Any]]:
    """Return what a mapping or list holds, by key or index; nothing of anything else."""
    if isinstance(value, dict):
        return iter(value.items())
    return enumerate(value if isinstance(value, list) else ())
