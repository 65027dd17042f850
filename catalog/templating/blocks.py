"""From tags to the tree: which tag opens, continues or closes which block, and white space."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from catalog.suggestions import nearest
from catalog.templating.contract import Fault
from catalog.templating.expressions import ExpressionParser
from catalog.templating.functions import FUNCTIONS
from catalog.templating.limits import (
    BLOCK_DEPTH,
    LOOP_DEPTH,
    SOURCE_BYTES,
    size_of,
    too_deep,
)
from catalog.templating.names import SCOPES
from catalog.templating.nodes import (
    Block,
    Body,
    Branch,
    Expression,
    For,
    If,
    Loop,
    Output,
    Template,
    Text,
    With,
)
from catalog.templating.scanning import NAME, refused
from catalog.templating.tags import Kind, Tag, TagReader

_WORD = re.compile(r"\s*([A-Za-z]+)(?:\s+(.*))?\s*", re.DOTALL)
_STATEMENT = re.compile(r"\s*([A-Za-z_]+)\b(.*)", re.DOTALL)
_ELSE_IF = re.compile(r"if(?![\w-])(.*)", re.DOTALL)
_BLOCK_VARIABLES = re.compile(r"\sas\s*\|[^|]*\|\s*\Z")
_GO_KEYWORDS = frozenset({"if", "range", "with"})
_GO_REFUSED = frozenset({"define", "template", "block", "break", "continue"})
_HANDLEBARS = ("if", "unless", "each", "with")
_HB_REFUSED = ("^", ">", "&", "=", "*", "#>", "#*")
_ASSIGNED = re.compile(
    r"(\$[A-Za-z_][\w-]*)(?:\s*,\s*(\$[A-Za-z_][\w-]*))?\s*:=(.*)", re.DOTALL | re.ASCII
)
_FOR = re.compile(rf"\s*(_?{NAME})(?:\s*,\s*(_?{NAME}))?\s+in(?![\w-])(.*)", re.DOTALL)
_RECURSIVE = re.compile(r"\srecursive\s*\Z")


class Notation(StrEnum):
    """The notations of blocks; a tag continues or closes a block of its own notation only."""

    HB = "Handlebars"
    GO = "Go"
    JINJA = "Jinja"


@dataclass(slots=True)
class _Open:
    """A block that is not closed yet: what is known of it, and what is in it so far."""

    notation: Notation | None
    word: str
    at: int
    subject: Expression | None = None
    variables: tuple[str, ...] = ()
    condition: Expression | None = None
    branches: list[Branch] = field(default_factory=list)
    test: tuple[int, Expression] | None = None
    first: Body | None = None
    body: list[Block] = field(default_factory=list)
    in_else: bool = False


class BlockParser:
    """Parses one template; ``at`` is the offset of the tag that is being read."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._reader = TagReader(source)
        self._open = [_Open(None, "", 0)]
        self._references = 0
        self._begin = 0
        self.at = 0

    def parse(self) -> Template:
        """Give the tree; raises Fault for the first thing that is wrong."""
        check_size(self._source)
        alone: Tag | None = None
        for tag in self._tags():
            alone = tag
            self._take(tag)
        self._text(len(self._source))
        if len(self._open) > 1:
            block = self._open[-1]
            self.at = block.at
            raise Fault("template-syntax", f"this {block.word} has no end")
        body = tuple(self._open[0].body)
        whole = alone is not None and (alone.start, alone.end) == (0, len(self._source))
        single = whole and len(body) == 1 and isinstance(body[0], Output)
        return Template(self._source, body, self._references, single)

    def _tags(self) -> Iterator[Tag]:
        tags = self._reader.tags()
        while True:
            try:
                tag = next(tags, None)
            except Fault:
                self.at = self._reader.at
                raise
            if tag is None:
                return
            self.at = tag.start
            yield tag

    def _take(self, tag: Tag) -> None:
        content = tag.content.strip()
        left, right = tag.start, tag.end
        if self._takes_line(tag, content):
            left, right = self._line_of(tag)
        self._text(left, trimmed=tag.trims_left)
        self._begin = right
        if tag.trims_right:
            rest = self._source[right:]
            self._begin += len(rest) - len(rest.lstrip())
        if tag.kind is Kind.STATEMENT:
            self._statement(tag.content)
        elif tag.kind is Kind.VALUE:
            self._value(tag, content)

    def _text(self, end: int, *, trimmed: bool = False) -> None:
        text = self._source[self._begin : max(end, self._begin)]
        text = text.rstrip() if trimmed else text
        if text:
            self._open[-1].body.append(Text(text))

    def _takes_line(self, tag: Tag, content: str) -> bool:
        if tag.kind is not Kind.VALUE:
            return tag.kind is Kind.NOTE
        is_else = bool(re.match(r"else(?![\w.-])", content))
        return content.startswith(("#", "/")) or (
            is_else and self._open[-1].notation == Notation.HB
        )

    def _line_of(self, tag: Tag) -> tuple[int, int]:
        """Give the bounds of the tag's line if it is alone on it, else those of the tag."""
        source = self._source
        left = source.rfind("\n", 0, tag.start) + 1
        end = source.find("\n", tag.end)
        right = len(source) if end < 0 else end + 1
        beside = source[left : tag.start] + source[tag.end : right].removesuffix("\n")
        alone = not beside.removesuffix("\r").strip(" \t")
        return (left, right) if alone else (tag.start, tag.end)

    def _value(self, tag: Tag, content: str) -> None:
        if not content:
            raise Fault("template-syntax", "a value is missing in the tag")
        if content.startswith(_HB_REFUSED):
            raise refused(f"{{{{{content[:2].strip()}")
        if tag.content.startswith("#"):
            self._open_handlebars(content[1:])
        elif tag.content.startswith("/"):
            self._close(Notation.HB, content[1:].strip())
        elif not self._go(content):
            self._append(Output(self.at, self._read(tag.content)))

    def _open_handlebars(self, content: str) -> None:
        name, rest = (*content.split(None, 1), "", "")[:2]
        if name not in _HANDLEBARS:
            near = nearest(name, _HANDLEBARS)
            raise Fault(
                "template-syntax",
                f"the block #{name[:20]} is unknown",
                suggestion=f"#{near}" if near else "",
            )
        if _BLOCK_VARIABLES.search(content):
            raise refused("as |x|")
        self._begin_block(_Open(Notation.HB, name, self.at), rest)

    def _go(self, content: str) -> bool:
        """Take one of Go's words, or an else of either notation; say whether it was one."""
        found = _WORD.fullmatch(content)
        word, rest = (found[1], (found[2] or "").strip()) if found else ("", "")
        if content.startswith(("if(", "else(")):
            word, rest = content.split("(")[0], content[content.index("(") :]
        if word == "else":
            self._else_tag(rest)
        elif word == "end":
            if rest:
                raise Fault("template-syntax", "end stands alone in its tag")
            self._close(Notation.GO, "end")
        elif word in _GO_REFUSED:
            raise refused(word)
        elif word in _GO_KEYWORDS:
            self._begin_block(_Open(Notation.GO, word, self.at), rest)
        else:
            return False
        return True

    def _else_tag(self, rest: str) -> None:
        if self._open[-1].notation == Notation.JINJA:
            raise Fault("template-syntax", "the innermost block is Jinja's; write {% else %}")
        if not rest:
            self._else()
        elif found := _ELSE_IF.fullmatch(rest):
            self._else_if(found[1])
        else:
            raise refused("else with anything but if")

    def _statement(self, content: str) -> None:
        found = _STATEMENT.fullmatch(content)
        if not found:
            raise Fault("template-syntax", "a statement is missing in the tag")
        word, rest = found[1], found[2]
        if word == "if":
            self._begin_block(_Open(Notation.JINJA, word, self.at), rest)
        elif word == "for":
            self._for(rest)
        elif word in ("elif", "else", "endif", "endfor", "raw", "endraw"):
            self._continue_jinja(word, rest)
        else:
            raise refused(f"the statement {word[:20]}")

    def _continue_jinja(self, word: str, rest: str) -> None:
        if word == "elif":
            self._check_notation(Notation.JINJA, word)
            if self._open[-1].word != "if":
                raise Fault("template-syntax", "elif belongs to an if")
            self._else_if(rest)
            return
        if rest.strip():
            raise Fault("template-syntax", f"{word} stands alone in its tag")
        if word == "else":
            self._check_notation(Notation.JINJA, word)
            self._else()
        elif word == "endraw":
            raise Fault("template-syntax", "this endraw has no raw")
        elif word != "raw":
            self._close(Notation.JINJA, word.removeprefix("end"))

    def _for(self, rest: str) -> None:
        found = _FOR.fullmatch(rest)
        if not found:
            raise Fault("template-syntax", "a loop is written {% for name in list %}")
        names = tuple(name for name in found.groups()[:2] if name)
        for name in names:
            if name.startswith("_") or name in SCOPES or name in FUNCTIONS:
                raise refused(f"a variable named {name}")
            if name in ("loop", "this"):
                raise refused(f"a variable named {name}")
        if _RECURSIVE.search(rest):
            raise refused("a recursive loop")
        parser = self._parser(found[3])
        subject = parser.operation()
        condition = parser.operation() if parser.keyword("if") else None
        parser.finish()
        self._references = parser.references
        block = _Open(Notation.JINJA, "for", self.at, subject, names, condition)
        self._push(block)

    def _begin_block(self, block: _Open, rest: str) -> None:
        if not rest.strip():
            raise Fault("template-syntax", f"{block.word} needs a value")
        assigned = _ASSIGNED.fullmatch(rest.strip())
        if assigned and block.notation == Notation.GO and block.word in ("range", "with"):
            names = tuple(name for name in assigned.groups()[:2] if name)
            if len(names) > 1 and block.word == "with":
                raise Fault("template-syntax", "with takes one variable")
            block.variables, rest = names, assigned[3]
        subject = self._read(rest)
        if block.word in ("if", "unless"):
            block.test = (self.at, subject)
        block.subject = subject
        self._push(block)

    def _push(self, block: _Open) -> None:
        if len(self._open) > BLOCK_DEPTH:
            raise too_deep("blocks", BLOCK_DEPTH)
        self._open.append(block)
        if sum(block.word in ("each", "range", "for") for block in self._open) > LOOP_DEPTH:
            raise too_deep("loops", LOOP_DEPTH)

    def _check_notation(self, notation: Notation, word: str) -> None:
        block = self._open[-1]
        if block.notation != notation:
            where = (
                f"the {block.word} around it is {block.notation}'s" if block.word else "no block"
            )
            raise Fault("template-syntax", f"{word} is {notation}'s, and {where}")

    def _else_if(self, rest: str) -> None:
        block = self._block_for_else("else if")
        if not rest.strip():
            raise Fault("template-syntax", "else if needs a value")
        self._end_part(block)
        block.test = (self.at, self._read(rest))

    def _else(self) -> None:
        block = self._block_for_else("else")
        self._end_part(block)
        block.in_else = True

    def _block_for_else(self, word: str) -> _Open:
        block = self._open[-1]
        if not block.notation:
            raise Fault("template-syntax", f"{word} is outside of a block")
        if block.in_else:
            raise Fault("template-syntax", f"the {block.word} already has an else")
        return block

    def _end_part(self, block: _Open) -> None:
        """Keep what has been read since the last condition, or since the loop's beginning."""
        body = tuple(block.body)
        block.body = []
        if block.test:
            at, condition = block.test
            negated = block.word == "unless" and not block.branches and block.first is None
            block.branches.append(Branch(at, condition, negated, body))
            block.test = None
        elif not block.in_else and block.first is None:
            block.first = body

    def _close(self, notation: Notation, word: str) -> None:
        block = self._open[-1]
        self._check_notation(notation, f"this {word or 'end'}")
        if notation != Notation.GO and word != block.word:
            raise Fault("template-syntax", f"{word[:20]} closes {block.word}")
        otherwise: Body = tuple(block.body) if block.in_else else ()
        if not block.in_else:
            self._end_part(block)
        self._open.pop()
        self._append(_closed(block, otherwise))

    def _append(self, block: Block) -> None:
        self._open[-1].body.append(block)

    def _read(self, text: str) -> Expression:
        parser = self._parser(text)
        found = parser.whole()
        self._references = parser.references
        return found

    def _parser(self, text: str) -> ExpressionParser:
        in_for = any(block.word == "for" for block in self._open)
        return ExpressionParser(text, numbered=self._references, in_for=in_for)


class ConditionParser:
    """Parses a condition: one expression, bare or in one pair of braces."""

    def __init__(self, source: str) -> None:
        self._source = source.strip()
        self.at = 0

    def parse(self) -> Template:
        """Give it as a template of a single value; raises Fault for anything else."""
        if self._source.startswith("{{"):
            template = BlockParser(self._source).parse()
            if not template.single:
                raise Fault("template-syntax", "a condition is one expression and nothing else")
            return template
        check_size(self._source)
        if not self._source:
            raise Fault("template-syntax", "a condition is empty")
        parser = ExpressionParser(self._source, numbered=0, in_for=False)
        body = (Output(0, parser.whole()),)
        return Template(self._source, body, parser.references, single=True)


def check_size(source: str) -> None:
    """Raise template-limit for a source that is too long to be parsed."""
    if len(source) > SOURCE_BYTES or size_of(source) > SOURCE_BYTES:
        raise Fault("template-limit", f"a template has at most {SOURCE_BYTES // 1024} kB")


def _closed(block: _Open, otherwise: Body) -> Block:
    if block.branches:
        otherwise_if = If(tuple(block.branches), otherwise)
        if block.word in ("if", "unless"):
            return otherwise_if
        otherwise = (otherwise_if,)
    subject, body, at = block.subject, block.first or (), block.at
    assert subject is not None  # noqa: S101 -- every block but if has its subject.
    if block.word == "with":
        return With(at, subject, block.variables[0] if block.variables else None, body, otherwise)
    if block.word == "for":
        return For(at, subject, block.variables, block.condition, body, otherwise)
    return Loop(at, subject, block.variables, body, otherwise)
