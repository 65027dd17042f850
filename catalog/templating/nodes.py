"""The syntax tree of templates: immutable data, made by the parser, read by linker and renderer."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias


class PathForm(StrEnum):
    """The notation of a path's beginning."""

    PLAIN = "name"
    ITEM = ".name"
    DOLLAR = "$.name"
    VARIABLE = "$name"
    PARENT = "../name"
    DATA = "@name"
    ROOT = "@root.name"
    SLASH = "input/group/name"


@dataclass(frozen=True, slots=True)
class Key:
    """A member whose name is written down; ``start`` and ``end`` place it in its path's text."""

    value: str | int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Computed:
    """A member whose name is an expression."""

    expression: "Expression"


Member: TypeAlias = Key | Computed


@dataclass(frozen=True, slots=True)
class Literal:
    """A text, a number, a boolean or null."""

    value: Any


@dataclass(frozen=True, slots=True)
class ListLiteral:
    """A list of expressions."""

    items: "tuple[Expression, ...]"


@dataclass(frozen=True, slots=True)
class MappingLiteral:
    """A mapping of texts to expressions."""

    pairs: "tuple[tuple[str, Expression], ...]"


@dataclass(frozen=True, slots=True)
class Reference:
    """A path as it was written. ``number`` counts the paths of a template, for the linker."""

    number: int
    form: PathForm
    levels: int
    members: tuple[Member, ...]
    text: str


@dataclass(frozen=True, slots=True)
class MemberAccess:
    """Members of something that is not a path."""

    subject: "Expression"
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A function and its arguments; ``spaced`` when written ``f a b`` without a pipe."""

    function: str
    arguments: "tuple[Expression, ...]"
    spaced: bool = False


@dataclass(frozen=True, slots=True)
class Test:
    """The test after ``is``."""

    name: str
    negated: bool


@dataclass(frozen=True, slots=True)
class Pipe:
    """A value that goes through functions and tests, from left to right."""

    subject: "Expression"
    steps: tuple[FunctionCall | Test, ...]


@dataclass(frozen=True, slots=True)
class Negation:
    """The operator ``not`` or the minus in front."""

    operator: str
    operand: "Expression"


@dataclass(frozen=True, slots=True)
class Chain:
    """Operands with operators of one rank between them, evaluated from the left."""

    first: "Expression"
    rest: "tuple[tuple[str, Expression], ...]"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Comparisons that all have to hold: ``1 < x <= 3``."""

    first: "Expression"
    rest: "tuple[tuple[str, Expression], ...]"


@dataclass(frozen=True, slots=True)
class Logic:
    """Operands of ``and`` or of ``or``; the result is the operand that decided."""

    operator: str
    operands: "tuple[Expression, ...]"


@dataclass(frozen=True, slots=True)
class Conditional:
    """``a if b else c if d else e``: pairs of value and condition, and what is left."""

    branches: "tuple[tuple[Expression, Expression], ...]"
    otherwise: "Expression"


Expression: TypeAlias = (
    Literal
    | ListLiteral
    | MappingLiteral
    | Reference
    | MemberAccess
    | FunctionCall
    | Pipe
    | Negation
    | Chain
    | Comparison
    | Logic
    | Conditional
)


@dataclass(frozen=True, slots=True)
class Text:
    """Text that is put out as it stands."""

    text: str


@dataclass(frozen=True, slots=True)
class Interpolation:
    """A value tag. ``at`` is the offset of its first brace, as in all blocks."""

    at: int
    expression: Expression


@dataclass(frozen=True, slots=True)
class IfBranch:
    """A condition with what is put out when it holds, or when it does not (``unless``)."""

    at: int
    condition: Expression
    negated: bool
    body: "Body"


@dataclass(frozen=True, slots=True)
class If:
    """Branches, the first that holds wins, and the else."""

    branches: tuple[IfBranch, ...]
    otherwise: "Body"


@dataclass(frozen=True, slots=True)
class With:
    """A block around one value; ``variable`` begins with its dollar."""

    at: int
    subject: Expression
    variable: str | None
    body: "Body"
    otherwise: "Body"


@dataclass(frozen=True, slots=True)
class Loop:
    """``each`` and ``range``, which make an item; ``variables`` are none, (value), (key, value)."""

    at: int
    subject: Expression
    variables: tuple[str, ...]
    body: "Body"
    otherwise: "Body"


@dataclass(frozen=True, slots=True)
class For:
    """Jinja's loop, which makes variables; ``condition`` chooses the items."""

    at: int
    subject: Expression
    variables: tuple[str, ...]
    condition: Expression | None
    body: "Body"
    otherwise: "Body"


Block: TypeAlias = Text | Interpolation | If | With | Loop | For
Body: TypeAlias = tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed template. ``single`` when it is one value tag and nothing else."""

    source: str = field(repr=False)
    body: Body
    references: int
    single: bool
