"""Which fields a field depends on: by conditions, by its computed default and its options."""

from graphlib import CycleError, TopologicalSorter

from catalog.forms.conditions import references
from catalog.forms.definition import FieldDefinition, FormDefinition
from catalog.forms.expressions import Expressions
from catalog.forms.result import FormError

Graph = dict[str, set[str]]
CONDITIONS = "the conditions form a cycle"
EVERYTHING = "the fields depend on each other in a cycle"


def condition_graph(definition: FormDefinition) -> Graph:
    """Return for every field the fields that its own and its group's conditions look at."""
    graph: Graph = {}
    for group in definition.groups:
        for field in group.fields:
            conditions = filter(None, (group.conditional, field.conditional))
            graph[field.id] = {name for part in conditions for _, name in references(part)}
    return graph


def dependency_graph(definition: FormDefinition) -> Graph:
    """Return for every field the fields that must be known first; unknown names may be in it.

    Raises ``FormError`` for a template that cannot be read.
    """
    graph = condition_graph(definition)
    expressions = Expressions(definition)
    for field in definition.fields:
        graph[field.id] |= set(_reads(field, expressions))
        rows = Expressions(definition, field)
        own = {inner.id for inner in field.fields}
        for inner in field.fields:
            graph[field.id] |= (condition_fields(inner) | set(_reads(inner, rows))) - own
    return graph


def condition_fields(field: FieldDefinition) -> set[str]:
    """Return the fields that a field's own condition looks at."""
    return {name for _, name in references(field.conditional)} if field.conditional else set()


def _reads(field: FieldDefinition, expressions: Expressions) -> tuple[str, ...]:
    default: tuple[str, ...] = ()
    if field.template is not None:
        try:
            default = expressions.read_fields(field.template, computed=True)
        except FormError as error:
            raise FormError(f"the default of field {field.id!r}: {error}") from None
    if field.options is None:
        return default
    try:
        return (*default, *expressions.read_by_options(field))
    except FormError as error:
        raise FormError(f"the options of field {field.id!r}: {error}") from None


def row_graph(list_field: FieldDefinition, expressions: Expressions) -> Graph:
    """Return for every field of a row the fields of the row and the form that come first."""
    return {
        inner.id: condition_fields(inner) | set(_reads(inner, expressions))
        for inner in list_field.fields
    }


def dependency_order(graph: Graph, what: str = EVERYTHING) -> tuple[str, ...]:
    """Return the fields, each after those it depends on; raises ``FormError`` for a cycle."""
    try:
        return tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise FormError(describe_cycle(error, what)) from None


def describe_cycle(error: CycleError, what: str = EVERYTHING) -> str:
    """Return a message that names the fields of a cycle."""
    names = " -> ".join(str(name) for name in reversed(error.args[1]))
    return f"{what}: {names}"
