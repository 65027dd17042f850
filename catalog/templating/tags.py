"""Finds the tags of a template. Their content is left to the parser."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from catalog.templating.contract import FaultError

_OPENER = re.compile(r"\$\{\{|\{\{|\{%|\{\#")
_INSIDE = re.compile(
    r""""(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+'|`[^`]*+`|[\[({\])}%"'`]""", re.DOTALL
)
_CLOSES = {")": "(", "]": "[", "}": "{"}
_ENDRAW = re.compile(r"\{%(?P<left>-?)\s*endraw\s*(?P<right>-?)%\}")
_OURS = re.compile(
    r"\s*+(?:[-~]\s*+)?(?:(?:fields|metadata|request|system|environment|outputs?|components|fulfillment"
    r"|input)(?![A-Za-z0-9_-])|\.(?:User|System|Fulfillment)(?![A-Za-z0-9_]))"
)
_COMMENTS = (
    # What a comment begins with behind its braces, where its end is looked for, and its end.
    (re.compile(r"!(?=--)"), re.compile(r"--(?P<right>[-~]?)\}\}")),
    (re.compile(r"!"), re.compile(r"(?P<right>[-~]?)\}\}")),
    (re.compile(r"\s*/\*"), re.compile(r"\*/\s*(?P<right>[-~]?)\}\}")),
)
_JINJA_COMMENT_END = re.compile(r"(?P<right>-?)#\}")


class TagKind(StrEnum):
    """What a tag is, by its delimiters."""

    VALUE = "{{ }}"
    STATEMENT = "{% %}"
    NOTE = "{{! }}"  # A comment that takes its line along.
    MARK = "{# #}"  # Anything else without output: other comments, raw and endraw.


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag from ``start`` to ``end``, and on which of its sides white space is trimmed."""

    kind: TagKind
    start: int
    end: int
    content: str = ""
    trims_left: bool = False
    trims_right: bool = False
    triple: bool = False


class TagReader:
    """Reads the tags of a template in order; ``at`` is the offset of the current one."""

    def __init__(self, source: str) -> None:
        self._source = source
        self.at = 0

    def tags(self) -> Iterator[Tag]:
        """Yield every tag; raises FaultError for one that is unclosed or refused."""
        position = 0
        while opener := _OPENER.search(self._source, position):
            self.at = opener.start()
            if opener[0] == "${{":
                position = self._after_github()
                continue
            tag = self._read(opener[0])
            yield tag
            position = tag.end
            if tag.kind is TagKind.STATEMENT and tag.content.strip() == "raw":
                end = self._endraw(tag)
                yield end
                position = end.end

    def _read(self, opener: str) -> Tag:
        if opener == "{#":
            return self._jinja_comment()
        if opener == "{%":
            return self._statement()
        return self._comment() or self._value()

    def _after_github(self) -> int:
        self.at += 1
        if _OURS.match(self._source, self.at + 2):
            raise FaultError(
                "template-refused",
                "${{ .. }} is GitHub's syntax and is copied unchanged; for a dollar and a value "
                'write {{ "$" }}{{ .. }}',
            )
        return self._closing(self.at + 2, "}}") + 2

    def _comment(self) -> Tag | None:
        inner = self.at + 2
        trims = self._source[inner : inner + 1] in ("-", "~")
        for begin, end in _COMMENTS:
            if start := begin.match(self._source, inner + trims):
                found = end.search(self._source, start.end())
                if not found:
                    raise _no_end("comment")
                kind = TagKind.NOTE if start[0] == "!" else TagKind.MARK
                return self._mark(kind, found, trims_left=trims)
        return None

    def _jinja_comment(self) -> Tag:
        inner = self.at + 2
        trims = self._source[inner : inner + 1] == "-"
        found = _JINJA_COMMENT_END.search(self._source, inner)
        if not found:
            raise _no_end("comment")
        return self._mark(TagKind.MARK, found, trims_left=trims)

    def _endraw(self, raw: Tag) -> Tag:
        found = _ENDRAW.search(self._source, raw.end)
        if not found:
            raise FaultError("template-syntax", "{% raw %} has no {% endraw %}")
        self.at = found.start()
        return self._mark(TagKind.MARK, found, trims_left=bool(found["left"]))

    def _mark(self, kind: TagKind, match: re.Match[str], *, trims_left: bool) -> Tag:
        return Tag(
            kind, self.at, match.end(), trims_left=trims_left, trims_right=bool(match["right"])
        )

    def _value(self) -> Tag:
        if self._source.startswith("{{{{", self.at):
            raise FaultError(
                "template-refused", "{{{{ is not supported; write {% raw %} for raw text"
            )
        triple = self._source.startswith("{{{", self.at)
        width = 3 if triple else 2
        return self._cut(TagKind.VALUE, width, "}" * width, trims="-~")

    def _statement(self) -> Tag:
        if self._source[self.at + 2 : self.at + 3] in ("~", "+"):
            raise FaultError("template-refused", "{%~ and {%+ are not supported; write {% or {%-")
        return self._cut(TagKind.STATEMENT, 2, "%}", trims="-")

    def _cut(self, kind: TagKind, width: int, closer: str, *, trims: str) -> Tag:
        start = self.at + width
        end = self._closing(start, closer)
        content = self._source[start:end]
        left = content[:1] in tuple(trims)
        content = content[left:]
        right = content[-1:] in tuple(trims)
        return Tag(
            kind,
            self.at,
            end + width if kind is TagKind.VALUE else end + 2,
            content[:-1] if right else content,
            trims_left=left,
            trims_right=right,
            triple=width == 3,  # noqa: PLR2004 -- three braces.
        )

    def _closing(self, position: int, closer: str) -> int:
        """Return the offset of the closer that is neither in quotes nor within open brackets."""
        open_brackets: list[str] = []
        for found in _INSIDE.finditer(self._source, position):
            sign = found[0]
            if len(sign) == 1 and sign in "\"'`":
                raise FaultError("template-syntax", f"a text has no closing {sign}")
            if not open_brackets and self._source.startswith(closer, found.start()):
                return found.start()
            if sign in ("(", "[", "{"):
                open_brackets.append(sign)
            elif open_brackets and open_brackets[-1] == _CLOSES.get(sign):
                open_brackets.pop()
        raise _no_end("tag")


def _no_end(what: str) -> FaultError:
    return FaultError("template-syntax", f"this {what} has no end")
