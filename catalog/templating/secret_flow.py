"""What of a template's values reaches its output: a value that is only compared does not."""

from collections.abc import Iterable, Iterator

from catalog.templating.linker import LinkedTemplate
from catalog.templating.nodes import (
    Body,
    Chain,
    Conditional,
    Expression,
    For,
    FunctionCall,
    If,
    Interpolation,
    ListLiteral,
    Logic,
    Loop,
    MappingLiteral,
    MemberAccess,
    Negation,
    Pipe,
    Reference,
    Test,
    With,
)
from catalog.templating.resolver import Root

Use = tuple[str, ...]

# Their results say something about a value, but hold nothing of it.
_REVEALING_NOTHING = frozenset(
    {"contains", "eq", "ge", "gt", "le", "len", "length", "lt", "matches", "ne", "not"}
)


def shown_uses(linked: LinkedTemplate) -> list[Use]:
    """Return the uses whose values, or what is made of them, are put out, each once."""
    return list(dict.fromkeys(_body_uses(linked, linked.template.body)))


def _body_uses(linked: LinkedTemplate, body: Body) -> Iterator[Use]:
    for block in body:
        if isinstance(block, Interpolation):
            yield from _expression_uses(linked, block.expression)
        elif isinstance(block, If):
            for branch in block.branches:
                yield from _body_uses(linked, branch.body)
            yield from _body_uses(linked, block.otherwise)
        elif isinstance(block, With | Loop | For):
            # What is put out in a block over a value counts as made of it.
            yield from _expression_uses(linked, block.subject)
            yield from _body_uses(linked, block.body)
            yield from _body_uses(linked, block.otherwise)


def _expression_uses(linked: LinkedTemplate, node: Expression) -> Iterator[Use]:
    if isinstance(node, Reference):
        link = linked.links[node.number]
        if link.root is Root.SCOPE:
            yield (link.name, *(str(getattr(one, "value", "*")) for one in link.members))
    elif isinstance(node, Pipe):
        yield from _pipe_uses(linked, node)
    else:
        for part in _parts(node):
            yield from _expression_uses(linked, part)


def _pipe_uses(linked: LinkedTemplate, node: Pipe) -> Iterator[Use]:
    found = [*_expression_uses(linked, node.subject)]
    for step in node.steps:
        if isinstance(step, Test) or step.function in _REVEALING_NOTHING:
            found = []
        else:
            found += [use for one in step.arguments for use in _expression_uses(linked, one)]
    yield from found


def _parts(node: Expression) -> Iterable[Expression]:
    """Return the parts of an expression whose values its own value may hold."""
    found: Iterable[Expression] = ()
    match node:
        case MemberAccess():
            found = (node.subject,)
        case FunctionCall() if node.function not in _REVEALING_NOTHING:
            found = node.arguments
        case ListLiteral():
            found = node.items
        case MappingLiteral():
            found = (value for _, value in node.pairs)
        case Negation() if node.operator != "not":
            found = (node.operand,)
        case Chain():
            found = (node.first, *(operand for _, operand in node.rest))
        case Logic():
            found = node.operands
        case Conditional():
            found = (*(value for value, _ in node.branches), node.otherwise)
    return found
