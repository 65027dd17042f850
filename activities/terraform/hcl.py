"""Reads the files of a module as Terraform does: HCL and its JSON form, as blocks."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import tree_sitter_hcl
from tree_sitter import Language, Node, Parser

NATIVE = (".tf", ".tofu")
IN_JSON = (".tf.json", ".tofu.json")
LARGEST_FILE = 4 * 1024**2
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_HEX_ESCAPES = {"u": 4, "U": 8}


class UnreadableFileError(Exception):
    """A file that cannot be parsed; the text names file and line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HclAttribute:
    """A value that a body sets: its source text, and every key of an object within it."""

    name: str
    text: str
    keys: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class HclBlock:
    """A block with its labels, and what is in it."""

    type: str
    labels: tuple[str, ...] = ()
    attributes: tuple[HclAttribute, ...] = ()
    blocks: tuple["HclBlock", ...] = ()

    def within(self) -> Iterator["HclBlock"]:
        """Yield this block and all blocks in it, at any depth."""
        yield self
        for block in self.blocks:
            yield from block.within()


@dataclass(frozen=True, slots=True)
class BlockSchema:
    """How JSON writes a block: how many levels of labels, and which blocks may be in it."""

    labels: int = 0
    blocks: Mapping[str, "BlockSchema"] | None = None


_PROVISIONER = {"provisioner": BlockSchema(1)}
_LIFECYCLE = {**_PROVISIONER, "lifecycle": BlockSchema(), "connection": BlockSchema()}
_ENCRYPTION = {"key_provider": BlockSchema(2), "method": BlockSchema(2)}
_TERRAFORM = {
    "backend": BlockSchema(1),
    "cloud": BlockSchema(),
    "encryption": BlockSchema(0, _ENCRYPTION),
}
JSON_SHAPES: Mapping[str, BlockSchema] = {
    "terraform": BlockSchema(0, _TERRAFORM),
    "resource": BlockSchema(2, _LIFECYCLE),
    "data": BlockSchema(2, _LIFECYCLE),
    "ephemeral": BlockSchema(2, _LIFECYCLE),
    "action": BlockSchema(2, {"config": BlockSchema()}),
    "removed": BlockSchema(0, _LIFECYCLE),
    "check": BlockSchema(1, {"data": BlockSchema(2)}),
    "provider": BlockSchema(1),
    "variable": BlockSchema(1),
    "module": BlockSchema(1),
    "output": BlockSchema(1),
}


def module_files(folder: Path) -> list[Path]:
    """Return the files of one folder that Terraform or OpenTofu loads, in order."""
    return [
        file
        for file in sorted(folder.iterdir())
        if file.name.endswith((*NATIVE, *IN_JSON)) and not _is_ignored(file.name)
    ]


def read_folder(folder: Path) -> dict[str, HclBlock]:
    """Read every file of a module's folder, each as one block; raises UnreadableFileError."""
    return {file.name: read_file(file) for file in module_files(folder)}


def read_file(file: Path) -> HclBlock:
    """Read one file as a block without a type; raises UnreadableFileError."""
    try:
        with file.open("rb") as stream:
            content = stream.read(LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            raise UnreadableFileError(f"{file.name} is larger than {LARGEST_FILE // 1024**2} MB")
        text = content.decode()
        return _json_file(text) if file.name.endswith(".json") else _hcl_file(text)
    except OSError as error:
        raise UnreadableFileError(f"{file.name}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UnreadableFileError(f"{file.name} is not UTF-8") from error
    except RecursionError as error:
        raise UnreadableFileError(f"{file.name} is nested too deeply") from error
    except _SyntaxError as error:
        raise UnreadableFileError(f"{file.name} {error}") from error


class _SyntaxError(Exception):
    """What is wrong with a file's text, and in which line."""


def _is_ignored(name: str) -> bool:
    """Return whether Terraform skips a file: hidden ones, and copies that editors leave."""
    return name.startswith(".") or name.endswith("~") or (name[0] == "#" and name[-1] == "#")


@cache
def _language() -> Language:
    return Language(tree_sitter_hcl.language())


def _hcl_file(text: str) -> HclBlock:
    root = Parser(_language()).parse(text.encode()).root_node
    if root.has_error:
        raise _SyntaxError(f"line {_wrong_line(root)} is not valid HCL")
    bodies = [child for child in root.named_children if child.type == "body"]
    attributes, blocks = _body(bodies)
    return HclBlock(type="", attributes=attributes, blocks=blocks)


def _wrong_line(root: Node) -> int:
    """Return the first line that the parser could not read."""
    nodes = [root]
    while nodes:
        node = nodes.pop()
        if node.is_error or node.is_missing:
            return node.start_point.row + 1
        nodes += [child for child in reversed(node.children) if child.has_error or child.is_missing]
    return 1


def _body(bodies: list[Node]) -> tuple[tuple[HclAttribute, ...], tuple[HclBlock, ...]]:
    members = [member for body in bodies for member in body.named_children]
    return (
        tuple(_attribute(member) for member in members if member.type == "attribute"),
        tuple(_block(member) for member in members if member.type == "block"),
    )


def _block(node: Node) -> HclBlock:
    named = [_name(child) for child in node.named_children if child.type in _NAMES]
    attributes, blocks = _body([child for child in node.named_children if child.type == "body"])
    return HclBlock(type=named[0], labels=tuple(named[1:]), attributes=attributes, blocks=blocks)


def _attribute(node: Node) -> HclAttribute:
    expressions = [child for child in node.named_children if child.type == "expression"]
    return HclAttribute(
        name=_name(node.named_children[0]),
        text=_text(expressions[0]) if expressions else "",
        keys=frozenset(key for expression in expressions for key in _keys(expression)),
    )


def _keys(expression: Node) -> Iterator[str]:
    """Yield the literal keys of objects within an expression."""
    nodes = [expression]
    while nodes:
        node = nodes.pop()
        if node.type == "object_elem" and (key := node.child_by_field_name("key")):
            yield from _names_within(key)
        nodes += node.named_children


def _names_within(key: Node) -> Iterator[str]:
    nodes = [key]
    while nodes:
        node = nodes.pop()
        if node.type in _NAMES:
            yield _name(node)
        else:
            nodes += node.named_children


_NAMES = frozenset({"identifier", "string_lit"})


def _name(node: Node) -> str:
    """Return an identifier, or a quoted text with its escapes resolved."""
    text = _text(node)
    return _unescape(text[1:-1]) if node.type == "string_lit" else text


def _text(node: Node) -> str:
    return (node.text or b"").decode()


def _unescape(text: str) -> str:
    parts = []
    position = 0
    while (found := text.find("\\", position)) != -1:
        kind = text[found + 1 : found + 2]
        parts.append(text[position:found])
        digits = _HEX_ESCAPES.get(kind, 0)
        try:
            value = chr(int(text[found + 2 : found + 2 + digits], 16)) if digits else None
        except (ValueError, OverflowError) as error:
            raise _SyntaxError(f"has an invalid escape in {text[:80]!r}") from error
        parts.append(value or _ESCAPES.get(kind, kind))
        position = found + 2 + digits
    return "".join([*parts, text[position:]]).replace("$${", "${").replace("%%{", "%{")


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with all keys, including duplicates."""


def _json_file(text: str) -> HclBlock:
    try:
        read = json.loads(text, object_pairs_hook=_Pairs)
    except ValueError as error:
        raise _SyntaxError(f"is not valid JSON: {error}") from error
    if not isinstance(read, list):
        raise _SyntaxError("is not a JSON object")
    attributes, blocks = _json_body(read, JSON_SHAPES)
    return HclBlock(type="", attributes=attributes, blocks=blocks)


def _json_body(
    value: Any, shapes: Mapping[str, BlockSchema]
) -> tuple[tuple[HclAttribute, ...], tuple[HclBlock, ...]]:
    pairs = [pair for part in _objects(value) for pair in part]
    return (
        tuple(
            HclAttribute(name=key, text=json.dumps(member), keys=frozenset(_json_keys(member)))
            for key, member in pairs
            if key not in shapes
        ),
        tuple(
            block
            for key, member in pairs
            if key in shapes
            for block in _json_blocks(key, member, shapes[key], labels=())
        ),
    )


def _json_blocks(
    kind: str, value: Any, shape: BlockSchema, *, labels: tuple[str, ...]
) -> Iterator[HclBlock]:
    if len(labels) < shape.labels:
        for part in _objects(value):
            for label, member in part:
                yield from _json_blocks(kind, member, shape, labels=(*labels, label))
        return
    for part in _objects(value):
        attributes, blocks = _json_body(part, shape.blocks or {})
        yield HclBlock(type=kind, labels=labels, attributes=attributes, blocks=blocks)


def _objects(value: Any) -> list[_Pairs]:
    """Return the objects in a value: itself, or the members of a list, at any depth."""
    if isinstance(value, _Pairs):
        return [value]
    if isinstance(value, list):
        return [found for member in value for found in _objects(member)]
    return []


def _json_keys(value: Any) -> Iterator[str]:
    for part in _objects(value):
        for key, member in part:
            yield key
            yield from _json_keys(member)
