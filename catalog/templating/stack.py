"""The blocks that are open while a template is parsed, and the rules for closing them."""

from dataclasses import dataclass, field
from enum import StrEnum

from catalog.templating.contract import FaultError
from catalog.templating.limits import BLOCK_DEPTH, LOOP_DEPTH, too_deep
from catalog.templating.nodes import Block, Body, Expression, For, If, IfBranch, Literal, Loop, With

_LOOPS = ("each", "range", "for")
_NOTHING = Literal(None)


class Notation(StrEnum):
    """The notations of blocks; a tag continues or closes a block of its own notation only."""

    HB = "Handlebars"
    GO = "Go"
    JINJA = "Jinja"


@dataclass(slots=True)
class OpenBlock:
    """A block that is not closed yet, and its content so far.

    ``test`` is the condition whose body is being read, with the offset of its tag.
    """

    notation: Notation | None
    word: str
    at: int
    subject: Expression = _NOTHING
    variables: tuple[str, ...] = ()
    condition: Expression | None = None
    test: tuple[int, Expression] | None = None
    branches: list[IfBranch] = field(default_factory=list)
    first: Body | None = None
    body: list[Block] = field(default_factory=list)
    in_else: bool = False

    def end_part(self) -> None:
        """Keep what has been read since the last condition, or since the block's beginning."""
        body, self.body = tuple(self.body), []
        if self.test:
            at, condition = self.test
            negated = self.word == "unless" and not self.branches
            self.branches.append(IfBranch(at, condition, negated, body))
            self.test = None
        else:
            self.first = body

    def to_node(self) -> Block:
        """Return the block as a node of the tree."""
        otherwise: Body = tuple(self.body) if self.in_else else ()
        if not self.in_else:
            self.end_part()
        if self.branches:
            choice = If(tuple(self.branches), otherwise)
            if self.word in ("if", "unless"):
                return choice
            otherwise = (choice,)
        body = self.first or ()
        if self.word == "for":
            return For(self.at, self.subject, self.variables, self.condition, body, otherwise)
        if self.word == "with":
            variable = self.variables[0] if self.variables else None
            return With(self.at, self.subject, variable, body, otherwise)
        return Loop(self.at, self.subject, self.variables, body, otherwise)


class BlockStack:
    """The open blocks, the innermost last; the first is the template itself."""

    def __init__(self) -> None:
        self._open = [OpenBlock(None, "", 0)]

    @property
    def innermost(self) -> OpenBlock:
        """Return the block that is being read."""
        return self._open[-1]

    @property
    def in_for(self) -> bool:
        """Return whether a Jinja loop is open."""
        return any(block.word == "for" for block in self._open)

    def append(self, block: Block) -> None:
        """Add to the innermost block."""
        self.innermost.body.append(block)

    def push(self, block: OpenBlock) -> None:
        """Open a block."""
        if len(self._open) > BLOCK_DEPTH:
            raise too_deep("blocks", BLOCK_DEPTH)
        self._open.append(block)
        if sum(block.word in _LOOPS for block in self._open) > LOOP_DEPTH:
            raise too_deep("loops", LOOP_DEPTH)

    def check_else(self, word: str) -> None:
        """Raise unless the innermost block may have an else here."""
        block = self.innermost
        if not block.notation:
            raise FaultError("template-syntax", f"{word} is outside of a block")
        if block.in_else:
            raise FaultError("template-syntax", f"the {block.word} already has an else")

    def else_if(self, at: int, condition: Expression) -> None:
        """Continue with another condition."""
        self.innermost.end_part()
        self.innermost.test = (at, condition)

    def otherwise(self) -> None:
        """Continue with the else."""
        self.check_else("else")
        self.innermost.end_part()
        self.innermost.in_else = True

    def check_notation(self, notation: Notation, word: str) -> None:
        """Raise unless the innermost block is of the notation."""
        block = self.innermost
        if block.notation != notation:
            where = f"the {block.word} around it is {block.notation}'s"
            where = where if block.notation else "no block is open"
            raise FaultError("template-syntax", f"{word} is {notation}'s, and {where}")

    def close(self, notation: Notation, word: str) -> None:
        """Close the innermost block; the word is that of its end, Go's has none."""
        self.check_notation(notation, f"this end of {word or 'a block'}")
        block = self.innermost
        if word and word != block.word:
            raise FaultError("template-syntax", f"{word[:20]} is closed, but {block.word} is open")
        self._open.pop()
        self.append(block.to_node())

    def root_body(self) -> Body:
        """Return the whole template's blocks."""
        return tuple(self._open[0].body)
