"""Writes docs/catalog-reference.md: keys, field types, names and functions, from the code."""

import inspect
from collections.abc import Iterable, Iterator
from enum import Enum
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from catalog.bundle import CatalogBundle, Component, JiraLinking, Orchestration
from catalog.forms.checks import CONSTRAINTS, key_of
from catalog.forms.definition import (
    Condition,
    Constraints,
    FieldDefinition,
    FormDefinition,
    FormRule,
    GroupDefinition,
    ItemConstraints,
    Operator,
    RequiredWhen,
)
from catalog.forms.options import HttpOptions, ListOptions, ResourceOptions, TeamOptions
from catalog.forms.ui_schema import COMPONENTS
from catalog.fulfillment import Action, Automatic, Manual, Strategy
from catalog.lists import CatalogList, ListRow
from catalog.model import Access, CatalogItem, Cost, Deprecation, Display, Metadata, Owner, Sla
from catalog.templating import limits
from catalog.templating.functions import FUNCTIONS, LAZY
from catalog.templating.functions.signatures import SIGNATURES
from catalog.templating.names import GO_SYSTEM, REQUEST_MEMBERS, SCOPES, SYSTEM_MEMBERS
from catalog.templating.value_types import PRESENT, TEXTUAL, describe_kinds
from catalog.validation.structure_messages import models_in

_HEAD = """# Reference of catalog documents

Generated from the code by `make generate`. An introduction is in [catalog](catalog.md), the
validation rules in [rules](rules.md).
"""
_PARTS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("CatalogItem", CatalogItem),
    ("CatalogBundle", CatalogBundle),
    ("CatalogList", CatalogList),
    ("a row of a CatalogList", ListRow),
    ("metadata", Metadata),
    ("metadata.owner", Owner),
    ("metadata.access", Access),
    ("metadata.sla", Sla),
    ("metadata.cost", Cost),
    ("presentation.display", Display),
    ("presentation.form", FormDefinition),
    ("a group of the form", GroupDefinition),
    ("a field", FieldDefinition),
    ("validation of a field", Constraints),
    ("items of a multiselect", ItemConstraints),
    ("required of a field, conditionally", RequiredWhen),
    ("a rule of the form", FormRule),
    ("options from a list", ListOptions),
    ("options from the caller's teams", TeamOptions),
    ("options from HTTP", HttpOptions),
    ("options from resources", ResourceOptions),
    ("conditional of a field or group", Condition),
    ("fulfillment.strategy", Strategy),
    ("fulfillment.manual", Manual),
    ("fulfillment.automatic", Automatic),
    ("an action", Action),
    ("lifecycle.deprecation", Deprecation),
    ("a component of a bundle", Component),
    ("fulfillment.orchestration of a bundle", Orchestration),
    ("fulfillment.orchestration.jiraLinking", JiraLinking),
)
# The four ways to write the same.
_NOTATIONS = (
    ("a field", "`{{fields.size}}`", "`{{.User.basic_size}}`", "`{{input/basic/size}}`"),
    ("an output", "`{{outputs.ask.key}}`", "", "`{{output/ask/key}}`"),
    ("the request's id", "`{{request.id}}`", "`{{.System.RequestID}}`", "`{{system/requestId}}`"),
    ("a condition", "`{{#if x}}..{{else}}..{{/if}}`", "`{{if x}}..{{else}}..{{end}}`", ""),
    ("a loop", "`{{#each x}}{{this}}{{/each}}`", "`{{range x}}{{.}}{{end}}`", ""),
    ("a function", "`{{upper(x)}}`, `{{upper x}}`", "`{{x | upper}}`", ""),
    ("a comment", "`{{! .. }}`", "`{{/* .. */}}`", ""),
)


def reference_page() -> str:
    """Return the page."""
    parts = [_HEAD, *_keys(), *_types(), *_conditions(), *_notations(), *_names(), *_functions()]
    return "\n".join([*parts, *_bounds()]).rstrip() + "\n"


def _keys() -> Iterator[str]:
    yield "## Keys"
    for name, model in _PARTS:
        yield from ("", f"### {name}", "", _sentence(model.__doc__), "", "| key | |", "|---|---|")
        for field_name, field in model.model_fields.items():
            inner = models_in(field.annotation)
            description = field.description or (inner[0].__doc__ if inner else field.title)
            parts = [_cell(description)] if description else []
            parts[-1:] = [f"{parts[-1].rstrip('.')}."] if parts else []
            parts += ["Required."] if field.is_required() else []
            values = list(_values(field.annotation))
            parts += [f"One of {', '.join(f'`{one}`' for one in values)}."] if values[1:] else []
            examples = [f"`{one}`" for one in field.examples or () if isinstance(one, str | int)]
            parts += [f"Example: {', '.join(examples)}"] if examples else []
            yield f"| `{field.alias or field_name}` | {' '.join(parts)} |"


def _values(annotation: Any) -> Iterator[str]:
    """Yield the words of an enumeration, where an annotation holds one."""
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        yield from (str(one.value) for one in annotation)
    elif get_origin(annotation) is Literal:
        yield from map(str, get_args(annotation))
    elif get_origin(annotation) in (Union, UnionType):
        for part in get_args(annotation):
            yield from _values(part)


def _types() -> Iterator[str]:
    yield from ("", "## Field types", "", "| type | shown as | constraints |", "|---|---|---|")
    for kind, names in CONSTRAINTS.items():
        keys = ", ".join(f"`{key_of(name)}`" for name in names)
        yield f"| `{kind}` | {COMPONENTS[kind]} | {keys} |"


def _conditions() -> Iterator[str]:
    operators = ", ".join(f"`{one}`" for one in Operator)
    yield from ("", "## Conditions", "")
    yield f"`condition` is one of {operators}; conditions are combined with `all`, `any` and `not`."


def _notations() -> Iterator[str]:
    yield from (
        "",
        "## Notations",
        "",
        "One language; a template may mix them. Jinja's `{% if %}`,",
    )
    yield "`{% for %}`, `{# #}` and filters work as well."
    yield from ("", "| | scopes | Go | slash paths |", "|---|---|---|---|")
    for row in _NOTATIONS:
        yield f"| {' | '.join(row).replace(' | upper', ' &#124; upper')} |"


def _names() -> Iterator[str]:
    yield from ("", "## Names", "")
    yield f"Scopes: {_code_list(SCOPES)}."
    yield f"`request` has {_code_list(REQUEST_MEMBERS)}, `system` has {_code_list(SYSTEM_MEMBERS)}."
    yield f"`.System` has {_code_list(GO_SYSTEM)}."


def _functions() -> Iterator[str]:
    yield from ("", "## Functions", "")
    yield from ("The value is always the first argument; a pipe passes it.", "")
    yield from ("| function | arguments | result |", "|---|---|---|")
    for name, function in FUNCTIONS.items():
        most = "any number" if function.most is None else str(function.most)
        count = most if str(function.least) == most else f"{function.least} to {most}"
        if function.most is None:
            count = f"{function.least} or more"
        takes = [_kinds(kinds) for kinds in SIGNATURES[name].takes] if name in SIGNATURES else []
        shown = f"{count}: {', '.join(takes)}" if takes else count
        summary = (
            "The operator as a function." if name in LAZY else _sentence(function.call.__doc__)
        )
        yield f"| `{name}` | {shown} | {_cell(summary)} |"


def _bounds() -> Iterator[str]:
    yield from ("", "## Limits of templates", "", "| | at most |", "|---|---|")
    yield f"| source | {limits.SOURCE_BYTES // 1024} kB |"
    yield f"| a text, the output | {limits.TEXT_BYTES:,} bytes |"
    depths = f"{limits.BLOCK_DEPTH}, {limits.LOOP_DEPTH}, {limits.EXPRESSION_DEPTH} deep"
    yield f"| nested blocks, loops, expressions | {depths} |"
    yield f"| total iterations | {limits.ITERATIONS:,} |"
    yield f"| processor time | {limits.SECONDS:g} s |"


def _kinds(kinds: int) -> str:
    if kinds == PRESENT:
        return "anything"
    return "a text" if kinds == TEXTUAL else describe_kinds(kinds)


def _code_list(names: Iterable[str]) -> str:
    words = sorted(names) if isinstance(names, frozenset) else list(names)
    return ", ".join(f"`{word}`" for word in words)


def _sentence(text: str | None) -> str:
    first = inspect.cleandoc(text or "").split("\n\n")[0]
    return " ".join(first.split()).replace("``", "`")


def _cell(text: str | None) -> str:
    return _sentence(text).replace("|", "&#124;")
