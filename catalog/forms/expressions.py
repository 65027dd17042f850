"""Templates and expressions of a form: where they stand, what they may read, what they give.

A form is filled in before there is a request, so they read ``fields``, ``metadata``,
``request.user``, ``system`` and ``environment`` only, each field by its name. Inside of a list
``fields.<id>`` is a field of the same row, or one of the form.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from catalog.forms.context import FormContext
from catalog.forms.definition import FieldDefinition, FieldType, FormDefinition
from catalog.forms.outcome import FormError
from catalog.templating import (
    Names,
    SecretValue,
    TemplateError,
    check,
    check_when,
    evaluate_when,
    functions_of,
    render,
)

Path = tuple[str | int, ...]

_SCOPES = frozenset({"fields", "metadata", "request", "system", "environment"})
_OF_REQUEST = frozenset({"user", "timestamp"})
# Their results depend on the request's id.
_OF_REQUEST_ID = frozenset({"uuid", "random"})
_VARIABLE = re.compile(r"\b(?:env|environment)\.([A-Za-z][A-Za-z0-9_]*)")


@dataclass(frozen=True, slots=True)
class FormTemplate:
    """A template (``computed``) or expression of a form at its place below the form.

    ``field`` is what a computed default belongs to, ``row_of`` the list that it stands in.
    """

    path: Path
    text: str
    computed: bool = False
    field: FieldDefinition | None = None
    row_of: FieldDefinition | None = None


def form_templates(form: FormDefinition) -> Iterator[FormTemplate]:
    """Yield every template and expression of a form, in its order."""
    for g, group in enumerate(form.groups):
        for f, field in enumerate(group.fields):
            where: Path = ("groups", g, "fields", f)
            yield from _of_field(field, where, None)
            for r, inner in enumerate(field.fields):
                yield from _of_field(inner, (*where, "fields", r), field)
    for index, rule in enumerate(form.rules):
        yield FormTemplate(("rules", index, "check"), rule.check)
        if rule.when is not None:
            yield FormTemplate(("rules", index, "when"), rule.when)


def _of_field(
    field: FieldDefinition, where: Path, row_of: FieldDefinition | None
) -> Iterator[FormTemplate]:
    if field.template is not None:
        path = (*where, "default", "template")
        yield FormTemplate(path, field.template, computed=True, field=field, row_of=row_of)
    if field.required_when is not None:
        yield FormTemplate((*where, "required", "when"), field.required_when, row_of=row_of)


class Expressions:
    """Evaluates the templates and expressions of one form, or of the rows of a list in it."""

    def __init__(self, form: FormDefinition, row_of: FieldDefinition | None = None) -> None:
        self._form = form
        self._row_of = row_of

    @cached_property
    def names(self) -> Names:
        """The names that may be read; which variables are shown is known to the operator only."""
        groups = {group.id: tuple(f.id for f in group.fields) for group in self._form.groups}
        if self._row_of is not None:
            groups |= {"": tuple(field.id for field in self._row_of.fields)}
        texts = " ".join(template.text for template in form_templates(self._form))
        variables = dict.fromkeys(_VARIABLE.findall(texts))
        return Names(groups=groups, outputs=(), environment=tuple(variables))

    def read_fields(self, text: str, *, computed: bool = False) -> tuple[str, ...]:
        """Return the fields that a text reads; raises ``FormError`` if it may not be in a form."""
        try:
            uses = (check if computed else check_when)(text, self.names)
            functions = functions_of(text, self.names, condition=not computed)
        except TemplateError as error:
            raise FormError(str(error)) from None
        for problem in refused_uses(uses, functions):
            raise FormError(problem)
        return tuple(use[1] for use in uses if use[0] == "fields")

    def compute(self, template: str, fields: Mapping[str, Any], context: FormContext) -> Any:
        """Return what a template gives, None for nothing; raises ``TemplateError``."""
        value = render(template, {**context.scopes, "fields": fields}, self.names)
        return None if value == "" else value

    def holds(self, expression: str, fields: Mapping[str, Any], context: FormContext) -> bool:
        """Return whether an expression is true; raises ``TemplateError``."""
        return evaluate_when(expression, {**context.scopes, "fields": fields}, self.names)


def refused_uses(
    uses: list[tuple[str, ...]] | tuple[tuple[str, ...], ...], functions: frozenset[str]
) -> Iterator[str]:
    """Yield what a template of a form reads or calls, but must not."""
    for use in uses:
        if use[0] == "secrets":
            yield "a form is shown to everybody, so it cannot read secrets"
        elif use[0] not in _SCOPES:
            yield f"{use[0]} does not exist yet when a form is filled in"
        elif use[0] == "fields" and (len(use) == 1 or use[1] == "*"):
            yield "a form needs to know which fields are read: write fields.<id>"
        elif use[0] == "request" and (len(use) == 1 or use[1] not in _OF_REQUEST):
            what = "request.data: write fields.<id>" if use[1:2] == ("data",) else ".".join(use)
            yield f"only request.user is known when a form is filled in, not {what}"
        elif use[:2] == ("system", "uuid") or use == ("system",):
            yield f"{'.'.join(use)} does not exist yet when a form is filled in"
    for name in sorted(functions & _OF_REQUEST_ID):
        yield f"{name}() depends on the request's id, which does not exist yet"


def in_templates(field: FieldDefinition, value: Any) -> Any:
    """Return a value as templates see it: a password stays a secret in everything made from it."""
    secret = field.type is FieldType.PASSWORD and value is not None
    return SecretValue(value) if secret else value
