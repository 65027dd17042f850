"""Converts JIRA wiki markup to the Atlassian Document Format, which Cloud requires.

Supports headings, lists, tables, code blocks, rules, the panels and quotes of adf_regions, and the
inline markup of adf_inline; everything else stays text.
"""

import re
from collections.abc import Callable
from typing import Any

from pao.clients.jira.adf_inline import Escapes, Node, inline
from pao.clients.jira.adf_regions import QUOTE, color_lines, mark_regions

_CODE = re.compile(
    r"(?<!\\)\{(?P<name>code|noformat)(?::(?P<settings>[^{}\n]*))?\}[ \t]*+\n?+"
    r"(?P<body>.*?)\n?(?<!\\)\{(?P=name)\}",
    re.DOTALL,
)
_LANGUAGE = re.compile(r"[A-Za-z0-9+#-]{1,30}")
# An escaped brace of the JSON target; after an escaped backslash it is text.
_JSON_BRACE = re.compile(r"(?<!\\)((?:\\\\)*)\\u007b")
_HEADING = re.compile(r"h([1-6])\.[ \t]+(\S.*)")
_QUOTE_LINE = re.compile(r"bq\.[ \t]+(\S.*)")
_ITEM = re.compile(r"[ \t]*([*#-]{1,9})[ \t]+(\S.*)")
_RULE = re.compile(r"-{4,}[ \t]*")
_CELL = re.compile(r"(\|\|?)((?:\[[^\[\]|\n]*\|[^\[\]\n]*\]|[^|])*)")


def wiki_to_adf(text: str) -> dict[str, Any]:
    """Return the ADF document of a text in wiki markup; any text results in a valid document."""
    normal = text.replace("\r\n", "\n").replace("\r", "\n")
    return {"type": "doc", "version": 1, "content": _Converter(normal).blocks()}


def plain_to_adf(text: str) -> dict[str, Any]:
    """Return the ADF document of a literal text, none of it as markup."""
    escapes = Escapes(text)
    paragraphs = re.split(r"\n{2,}", text.replace("\r\n", "\n").replace("\r", "\n").strip("\n"))
    nodes = [inline(escapes.hide_all(one), escapes) for one in paragraphs]
    content = [{"type": "paragraph", "content": one} for one in nodes if one]
    return {"type": "doc", "version": 1, "content": content}


class _Converter:
    """Reads one text, line by line."""

    def __init__(self, text: str) -> None:
        self._escapes = Escapes(text)
        self._code: list[Node] = []
        without_code = _CODE.sub(self._keep_code, text)
        hidden = color_lines(self._escapes.hide(without_code))
        marked, self._regions = mark_regions(hidden, self._escapes.marker)
        self._lines = marked.split("\n")
        self._next = 0
        self._inside = ""
        self._end = f"{self._escapes.marker}-"

    def blocks(self) -> list[Node]:
        """Return the blocks up to the end of the text, or of the current region."""
        found: list[Node] = []
        while self._next < len(self._lines):
            if self._inside and self._line == self._end:
                break
            if not self._line.strip():
                self._next += 1
                continue
            found.append(self._block())
        return found

    @property
    def _line(self) -> str:
        return self._lines[self._next]

    def _block(self) -> Node:
        for reader in self._readers():
            start = self._next
            node = reader()
            if node is not None:
                return node
            self._next = start
        return self._paragraph()

    def _readers(self) -> tuple[Callable[[], Node | None], ...]:
        inner = (self._code_block, self._list)
        if self._inside == QUOTE:
            # An ADF quote holds only paragraphs, lists and code.
            return inner
        if self._inside:
            # A panel holds headings and rules as well.
            return (*inner, self._heading, self._rule)
        return (*inner, self._heading, self._region, self._quote_line, self._rule, self._table)

    def _keep_code(self, match: re.Match[str]) -> str:
        settings = (match["settings"] or "").split("|")
        language = settings[0] if _LANGUAGE.fullmatch(settings[0]) else ""
        body = self._code_text(match["body"], language)
        node: Node = {"type": "codeBlock"}
        if language:
            node["attrs"] = {"language": language}
        if body:
            node["content"] = [{"type": "text", "text": body}]
        self._code.append(node)
        marker = self._escapes.marker
        return f"\n{marker}{len(self._code) - 1}\n"

    def _code_text(self, body: str, language: str) -> str:
        if language == "json":
            return _JSON_BRACE.sub(r"\1{", body)
        return self._escapes.show(self._escapes.hide(body))

    def _code_block(self) -> Node | None:
        if not self._line.startswith(self._escapes.marker) or not self._line[1:].isdecimal():
            return None
        number = int(self._line[1:])
        self._next += 1
        return self._code[number]

    def _heading(self) -> Node | None:
        found = _HEADING.fullmatch(self._line.strip())
        if found is None:
            return None
        self._next += 1
        level, text = int(found[1]), self._inline(found[2])
        return {"type": "heading", "attrs": {"level": level}, "content": text}

    def _quote_line(self) -> Node | None:
        found = _QUOTE_LINE.fullmatch(self._line.strip())
        if found is None:
            return None
        self._next += 1
        return {"type": "blockquote", "content": [self._paragraph_of(found[1])]}

    def _region(self) -> Node | None:
        if not self._line.startswith(f"{self._escapes.marker}+"):
            return None
        region = self._regions[int(self._line[2:])]
        self._next += 1
        self._inside = region.name
        content = self.blocks()
        self._inside = ""
        self._next += 1
        title = self._escapes.show(region.title)
        if title:
            bold = {"type": "text", "text": title, "marks": [{"type": "strong"}]}
            content.insert(0, {"type": "paragraph", "content": [bold]})
        return region.node(content)

    def _rule(self) -> Node | None:
        if not _RULE.fullmatch(self._line):
            return None
        self._next += 1
        return {"type": "rule"}

    def _list(self) -> Node | None:
        items: list[tuple[str, str]] = []
        while self._next < len(self._lines):
            found = _ITEM.fullmatch(self._line)
            if found is None or (items and found[1][0] != items[0][0][0]):
                break
            items.append((found[1], found[2]))
            self._next += 1
        return self._list_of(items, 1) if items else None

    def _list_of(self, items: list[tuple[str, str]], depth: int) -> Node:
        entries: list[Node] = []
        position = 0
        while position < len(items):
            markers, text = items[position]
            if len(markers) == depth:
                entries.append({"type": "listItem", "content": [self._paragraph_of(text)]})
                position += 1
                continue
            end = _end_of_deeper(items, position, depth)
            if not entries:
                entries.append({"type": "listItem", "content": [{"type": "paragraph"}]})
            entries[-1]["content"].append(self._list_of(items[position:end], depth + 1))
            position = end
        ordered = items[0][0][depth - 1] == "#"
        return {"type": "orderedList" if ordered else "bulletList", "content": entries}

    def _table(self) -> Node | None:
        rows: list[Node] = []
        while self._next < len(self._lines):
            line = self._line.strip()
            if not line.startswith("|") or not line.endswith("|") or not line.strip("|"):
                break
            cells = [self._cell(bars, text) for bars, text in _CELL.findall(line.rstrip("|"))]
            rows.append({"type": "tableRow", "content": cells})
            self._next += 1
        return {"type": "table", "content": rows} if rows else None

    def _cell(self, bars: str, text: str) -> Node:
        kind = "tableHeader" if bars == "||" else "tableCell"
        return {"type": kind, "content": [self._paragraph_of(text.strip())]}

    def _paragraph(self) -> Node:
        lines = [self._line]
        self._next += 1
        while self._next < len(self._lines) and not self._begins_block():
            lines.append(self._line)
            self._next += 1
        return self._paragraph_of("\n".join(lines))

    def _begins_block(self) -> bool:
        line = self._line.strip()
        if not line or line.startswith((self._escapes.marker, "|")):
            return True
        return any(kind.fullmatch(line) for kind in (_HEADING, _QUOTE_LINE, _ITEM, _RULE))

    def _paragraph_of(self, text: str) -> Node:
        content = self._inline(text)
        return {"type": "paragraph", "content": content} if content else {"type": "paragraph"}

    def _inline(self, text: str) -> list[Node]:
        return inline(text, self._escapes)


def _end_of_deeper(items: list[tuple[str, str]], start: int, depth: int) -> int:
    """Return the end of the run of deeper items of one kind that begins at ``start``."""
    kind = items[start][0][depth]
    end = start
    while end < len(items) and len(items[end][0]) > depth and items[end][0][depth] == kind:
        end += 1
    return end
