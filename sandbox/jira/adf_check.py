"""Checks ADF documents as strictly as Cloud does, where that is known to cause errors."""

from typing import Any

_LEAVES = {"hardBreak", "rule", "mention", "emoji", "inlineCard", "date", "status", "media"}
_CONTAINERS = {
    "doc",
    "paragraph",
    "heading",
    "bulletList",
    "orderedList",
    "listItem",
    "codeBlock",
    "blockquote",
    "panel",
    "table",
    "tableRow",
    "tableHeader",
    "tableCell",
    "mediaSingle",
    "expand",
}
_MARKS = {
    "strong",
    "em",
    "code",
    "link",
    "strike",
    "underline",
    "subsup",
    "textColor",
    "backgroundColor",
}
# What a container must hold at least one of; the others may be empty.
_CHILDREN = {
    "bulletList": {"listItem"},
    "orderedList": {"listItem"},
    "table": {"tableRow"},
    "tableRow": {"tableCell", "tableHeader"},
}
_MAX_HEADING = 6
_MAX_DEPTH = 100


def is_adf(value: Any) -> bool:
    """Return whether Cloud would take the value as a document."""
    if not isinstance(value, dict) or value.get("type") != "doc" or value.get("version") != 1:
        return False
    return isinstance(value.get("content"), list) and _is_node(value, 0)


def adf_text(value: Any) -> str:
    """Return a document's text, one line per block."""
    if not isinstance(value, dict):
        return ""
    if value.get("type") == "text":
        return str(value.get("text", ""))
    if value.get("type") == "hardBreak":
        return "\n"
    text = "".join(adf_text(child) for child in value.get("content") or ())
    return f"{text}\n" if value.get("type") in {"paragraph", "heading", "codeBlock"} else text


def text_adf(text: str) -> dict[str, Any]:
    """Return a document of plain paragraphs."""
    lines = [line for line in text.splitlines() if line]
    content = [{"type": "paragraph", "content": [{"type": "text", "text": x}]} for x in lines]
    return {"type": "doc", "version": 1, "content": content}


def _is_node(node: Any, depth: int) -> bool:
    if not isinstance(node, dict) or depth > _MAX_DEPTH:
        return False
    kind = node.get("type")
    if kind == "text":
        return _is_text(node)
    if kind in _LEAVES:
        return "content" not in node
    if kind not in _CONTAINERS or not _is_heading_or_other(node):
        return False
    content = node.get("content", [])
    if not isinstance(content, list) or not _fits(kind, content):
        return False
    return all(_is_node(child, depth + 1) for child in content)


def _is_text(node: dict[str, Any]) -> bool:
    text, marks = node.get("text"), node.get("marks", [])
    if not isinstance(text, str) or not text or not isinstance(marks, list):
        return False
    return all(isinstance(mark, dict) and mark.get("type") in _MARKS for mark in marks)


def _is_heading_or_other(node: dict[str, Any]) -> bool:
    if node["type"] != "heading":
        return True
    attrs = node.get("attrs")
    level = attrs.get("level") if isinstance(attrs, dict) else None
    return isinstance(level, int) and 1 <= level <= _MAX_HEADING


def _fits(kind: str, content: list[Any]) -> bool:
    wanted = _CHILDREN.get(kind)
    if wanted is None:
        return True
    kinds = [child.get("type") if isinstance(child, dict) else None for child in content]
    return bool(kinds) and all(child in wanted for child in kinds)
