"""Parses tags into a tree: which tag opens, continues or closes which block."""

import re
from collections.abc import Iterator

from catalog.suggestions import nearest
from catalog.templating.contract import FaultError
from catalog.templating.expressions import ExpressionParser
from catalog.templating.functions import FUNCTIONS
from catalog.templating.limits import SOURCE_BYTES, size_of
from catalog.templating.names import SCOPES
from catalog.templating.nodes import Expression, Interpolation, Template, Text
from catalog.templating.paths import plain_path
from catalog.templating.scanner import LITERALS, NAME, RESERVED, unsupported
from catalog.templating.stack import BlockStack, Notation, OpenBlock
from catalog.templating.tags import Tag, TagKind, TagReader
from catalog.templating.whitespace import after_space, line_of

_WORD = re.compile(r"\s*([A-Za-z]+)(?:\s+(.*))?\s*", re.DOTALL)
_STATEMENT = re.compile(r"\s*([A-Za-z_]+)\b(.*)", re.DOTALL)
_ELSE_IF = re.compile(r"if(?![\w-])(.*)", re.DOTALL)
_BLOCK_VARIABLES = re.compile(r"\sas\s*\|[^|]*\|\s*\Z")
_GO_KEYWORDS = frozenset({"if", "range", "with"})
_GO_UNSUPPORTED = frozenset({"define", "template", "block", "break", "continue"})
_HANDLEBARS = ("if", "unless", "each", "with")
_HB_UNSUPPORTED = ("^", ">", "&", "=", "*", "#>", "#*")
_ASSIGNMENT = re.compile(
    r"(\$[A-Za-z_][\w-]*)(?:\s*,\s*(\$[A-Za-z_][\w-]*))?\s*:=(.*)", re.DOTALL | re.ASCII
)
_FOR = re.compile(rf"\s*(_?{NAME})(?:\s*,\s*(_?{NAME}))?\s+in(?![\w-])(.*)", re.DOTALL)
_RESERVED_NAMES = {*SCOPES, *FUNCTIONS, *RESERVED, *LITERALS, "loop", "this"}
_RECURSIVE = re.compile(r"\srecursive\s*\Z")


class BlockParser:
    """Parses one template; ``at`` is the offset of the tag that is being read."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._reader = TagReader(source)
        self._blocks = BlockStack()
        self._references = 0
        self._begin = 0
        self.at = 0

    def parse(self) -> Template:
        """Return the tree; raises FaultError for the first error."""
        check_size(self._source)
        alone: Tag | None = None
        for tag in self._tags():
            alone = tag
            self._add_tag(tag)
        self._add_text(len(self._source))
        block = self._blocks.innermost
        if block.notation:
            self.at = block.at
            raise FaultError("template-syntax", f"this {block.word} has no end")
        body = self._blocks.root_body()
        whole = alone is not None and (alone.start, alone.end) == (0, len(self._source))
        single = whole and len(body) == 1 and isinstance(body[0], Interpolation)
        return Template(self._source, body, self._references, single)

    def _tags(self) -> Iterator[Tag]:
        tags = self._reader.tags()
        while True:
            try:
                tag = next(tags, None)
            except FaultError:
                self.at = self._reader.at
                raise
            if tag is None:
                return
            self.at = tag.start
            yield tag

    def _add_tag(self, tag: Tag) -> None:
        content = tag.content.strip()
        left, right = tag.start, tag.end
        if self._removes_line(tag, content):
            left, right = line_of(self._source, tag)
        self._add_text(left, trimmed=tag.trims_left)
        self._begin = after_space(self._source, right) if tag.trims_right else right
        if tag.kind is TagKind.STATEMENT:
            self._statement(tag.content)
        elif tag.kind is TagKind.VALUE:
            self._value(tag, content)

    def _add_text(self, end: int, *, trimmed: bool = False) -> None:
        text = self._source[self._begin : max(end, self._begin)]
        text = text.rstrip() if trimmed else text
        if text:
            self._blocks.append(Text(text))

    def _removes_line(self, tag: Tag, content: str) -> bool:
        if tag.kind is not TagKind.VALUE:
            return tag.kind is TagKind.NOTE
        is_else = bool(re.match(r"else(?![\w.-])", content))
        return content.startswith(("#", "/")) or (
            is_else and self._blocks.innermost.notation == Notation.HB
        )

    def _value(self, tag: Tag, content: str) -> None:
        if not content:
            raise FaultError("template-syntax", "a value is missing in the tag")
        if content.startswith(_HB_UNSUPPORTED):
            raise unsupported(f"{{{{{content[:2].strip()}")
        if tag.triple:
            self._blocks.append(Interpolation(self.at, self._read(tag.content)))
        elif tag.content.startswith("#"):
            self._open_handlebars(content[1:])
        elif tag.content.startswith("/"):
            self._blocks.close(Notation.HB, content[1:].strip() or "/")
        elif not self._read_go_tag(content):
            self._blocks.append(Interpolation(self.at, self._read(tag.content)))

    def _open_handlebars(self, content: str) -> None:
        name, rest = (*content.split(None, 1), "", "")[:2]
        if name not in _HANDLEBARS:
            near = nearest(name, _HANDLEBARS)
            raise FaultError(
                "template-syntax",
                f"the block #{name[:20]} is unknown",
                suggestion=f"#{near}" if near else "",
            )
        if _BLOCK_VARIABLES.search(content):
            raise unsupported("as |x|")
        self._begin_block(OpenBlock(Notation.HB, name, self.at), rest)

    def _read_go_tag(self, content: str) -> bool:
        """Handle a Go keyword, or an else of either notation; return whether it was one."""
        found = _WORD.fullmatch(content)
        word, rest = (found[1], (found[2] or "").strip()) if found else ("", "")
        if content.startswith(("if(", "else(")):
            word, _, rest = content.partition("(")
            rest = f"({rest}"
        if word == "else":
            self._else_tag(rest)
        elif word == "end":
            if rest:
                raise FaultError("template-syntax", "end must be alone in its tag")
            self._blocks.close(Notation.GO, "")
        elif word in _GO_UNSUPPORTED:
            raise unsupported(word)
        elif word in _GO_KEYWORDS:
            self._begin_block(OpenBlock(Notation.GO, word, self.at), rest)
        else:
            return False
        return True

    def _else_tag(self, rest: str) -> None:
        if self._blocks.innermost.notation == Notation.JINJA:
            raise FaultError("template-syntax", "the innermost block is Jinja's; write {% else %}")
        if not rest:
            self._blocks.otherwise()
        elif found := _ELSE_IF.fullmatch(rest):
            self._else_if(found[1])
        else:
            raise unsupported("else with anything but if")

    def _statement(self, content: str) -> None:
        found = _STATEMENT.fullmatch(content)
        if not found:
            raise FaultError("template-syntax", "a statement is missing in the tag")
        word, rest = found[1], found[2]
        if word == "if":
            self._begin_block(OpenBlock(Notation.JINJA, word, self.at), rest)
        elif word == "for":
            self._for(rest)
        elif word in ("elif", "else", "endif", "endfor", "raw", "endraw"):
            self._continue_jinja(word, rest)
        else:
            raise unsupported(f"the statement {word[:20]}")

    def _continue_jinja(self, word: str, rest: str) -> None:
        if word == "elif":
            self._blocks.check_notation(Notation.JINJA, word)
            if self._blocks.innermost.word != "if":
                raise FaultError("template-syntax", "elif belongs to an if")
            self._else_if(rest)
            return
        if rest.strip():
            raise FaultError("template-syntax", f"{word} must be alone in its tag")
        if word == "else":
            self._blocks.check_notation(Notation.JINJA, word)
            self._blocks.otherwise()
        elif word == "endraw":
            raise FaultError("template-syntax", "this endraw has no matching raw")
        elif word != "raw":
            self._blocks.close(Notation.JINJA, word.removeprefix("end"))

    def _for(self, rest: str) -> None:
        found = _FOR.fullmatch(rest)
        if not found:
            raise FaultError("template-syntax", "write a loop as {% for name in list %}")
        names = tuple(name for name in found.groups()[:2] if name)
        for name in names:
            if name.startswith("_") or name in _RESERVED_NAMES:
                raise unsupported(f"a variable named {name}")
        if _RECURSIVE.search(rest):
            raise unsupported("a recursive loop")
        parser = self._parser(found[3])
        subject = parser.operation()
        condition = parser.operation() if parser.keyword("if") else None
        parser.finish()
        self._references = parser.references
        block = OpenBlock(Notation.JINJA, "for", self.at, subject, names, condition)
        self._blocks.push(block)

    def _begin_block(self, block: OpenBlock, rest: str) -> None:
        if not rest.strip():
            raise FaultError("template-syntax", f"{block.word} needs a value")
        assigned = _ASSIGNMENT.fullmatch(rest.strip())
        if assigned and block.notation == Notation.GO and block.word in ("range", "with"):
            names = tuple(name for name in assigned.groups()[:2] if name)
            if len(names) > 1 and block.word == "with":
                raise FaultError("template-syntax", "with takes one variable")
            block.variables, rest = names, assigned[3]
        subject = self._read(rest)
        if block.word in ("if", "unless"):
            block.test = (self.at, subject)
        block.subject = subject
        self._blocks.push(block)

    def _else_if(self, rest: str) -> None:
        self._blocks.check_else("else if")
        if not rest.strip():
            raise FaultError("template-syntax", "else if needs a value")
        self._blocks.else_if(self.at, self._read(rest))

    def _read(self, text: str) -> Expression:
        plain = plain_path(text, self._references)
        if plain is not None:
            self._references += 1
            return plain
        parser = self._parser(text)
        found = parser.whole()
        self._references = parser.references
        return found

    def _parser(self, text: str) -> ExpressionParser:
        return ExpressionParser(text, numbered=self._references, in_for=self._blocks.in_for)


class ConditionParser:
    """Parses a condition: one expression, bare or in one pair of braces."""

    def __init__(self, source: str) -> None:
        self._source = source.strip()
        self.at = 0

    def parse(self) -> Template:
        """Return the condition as a single-value template; raises FaultError for anything else."""
        if self._source.startswith("{{"):
            template = BlockParser(self._source).parse()
            if not template.single:
                raise FaultError(
                    "template-syntax", "a condition is one expression and nothing else"
                )
            return template
        check_size(self._source)
        if not self._source:
            raise FaultError("template-syntax", "a condition is empty")
        parser = ExpressionParser(self._source, numbered=0, in_for=False)
        body = (Interpolation(0, parser.whole()),)
        return Template(self._source, body, parser.references, single=True)


def check_size(source: str) -> None:
    """Raise template-limit for a source that is too long to be parsed."""
    if len(source) > SOURCE_BYTES or size_of(source) > SOURCE_BYTES:
        raise FaultError("template-limit", f"a template has at most {SOURCE_BYTES // 1024} kB")
