"""Templates and expressions of a form: where they stand, what they may read, what they give.

A form is filled in before there is a request, so they read ``fields``, ``metadata``,
``request.user``, ``system`` and ``environment`` only, each field by its name. Inside of a list
``fields.<id>`` is a field of the same row, or one of the form.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from catalog.forms.context import FormContext
from catalog.forms.definition import FieldDefinition, FieldType, FormDefinition
from catalog.forms.options import HttpOptions, ListOptions
from catalog.forms.passwords import passwords_among
from catalog.forms.result import FormError
from catalog.loading import walk_texts
from catalog.templating import (
    Names,
    SecretValue,
    TemplateError,
    check,
    check_when,
    environment_variables,
    evaluate_when,
    functions_of,
    render,
    unwrap_secrets,
)
from pao.core.passwords import PasswordFields

Path = tuple[str | int, ...]

_SCOPES = frozenset({"fields", "metadata", "request", "system", "environment", "row"})
CALL_PARTS = {"url", "query", "headers", "authentication"}
_OF_REQUEST = frozenset({"user", "timestamp"})
# Their results depend on the request's id.
_OF_REQUEST_ID = frozenset({"uuid", "random"})


@dataclass(frozen=True, slots=True)
class FormTemplate:
    """A template (``computed``) or expression of a form at its place below the form.

    ``field`` is what a computed default belongs to, ``row_of`` the list that it stands in.
    ``outgoing`` texts are rendered by the worker for a call: secrets may go along. ``filters`` is
    an expression that reads ``row``, a row of a CatalogList.
    """

    path: Path
    text: str
    computed: bool = False
    field: FieldDefinition | None = None
    outgoing: bool = False
    filters: bool = False
    row_of: FieldDefinition | None = None


def form_templates(form: FormDefinition) -> Iterator[FormTemplate]:
    """Yield every template and expression of a form, in its order."""
    for g, group in enumerate(form.groups):
        for f, field in enumerate(group.fields):
            where: Path = ("groups", g, "fields", f)
            yield from _field_templates(field, where, None)
            for r, inner in enumerate(field.fields):
                yield from _field_templates(inner, (*where, "fields", r), field)
    for index, rule in enumerate(form.rules):
        yield FormTemplate(("rules", index, "check"), rule.check)
        if rule.when is not None:
            yield FormTemplate(("rules", index, "when"), rule.when)


def _field_templates(
    field: FieldDefinition, where: Path, row_of: FieldDefinition | None
) -> Iterator[FormTemplate]:
    if field.template is not None:
        path = (*where, "default", "template")
        yield FormTemplate(path, field.template, computed=True, field=field, row_of=row_of)
    if field.required_when is not None:
        yield FormTemplate((*where, "required", "when"), field.required_when, row_of=row_of)
    for way, text in option_texts(field):
        path = (*where, "options", *way)
        yield FormTemplate(path, text, computed=True, outgoing=True, row_of=row_of)
    if isinstance(field.options, ListOptions) and field.options.where is not None:
        path = (*where, "options", "where")
        yield FormTemplate(path, field.options.where, filters=True, row_of=row_of)


def option_texts(field: FieldDefinition) -> Iterator[tuple[Path, str]]:
    """Yield the texts of a call for a field's choices that hold templates, with their paths."""
    if isinstance(field.options, HttpOptions):
        call = field.options.model_dump(include=CALL_PARTS)
        yield from ((path, text) for path, text in walk_texts(call) if "{" in text)


class Expressions:
    """Evaluates the templates and expressions of one form, or of the rows of a list in it."""

    def __init__(self, form: FormDefinition, row_of: FieldDefinition | None = None) -> None:
        self._form = form
        self._row_of = row_of

    @cached_property
    def passwords(self) -> frozenset[str]:
        """The fields that may be read and are passwords."""
        in_row = self._row_of.fields if self._row_of else ()
        return self._form_passwords.fields | passwords_among(in_row).fields

    @cached_property
    def holders(self) -> frozenset[str]:
        """The fields that may be read and are passwords, or lists with some in their rows."""
        return self.passwords | self._form_passwords.holders

    @cached_property
    def _form_passwords(self) -> PasswordFields:
        return passwords_among(self._form.fields)

    @cached_property
    def names_in_list(self) -> Names:
        """The same, and ``row``: a row of a CatalogList."""
        return replace(self.names, row=True)

    @cached_property
    def names(self) -> Names:
        """The names that may be read; which variables are shown is known to the operator only."""
        groups = {group.id: tuple(f.id for f in group.fields) for group in self._form.groups}
        if self._row_of is not None:
            groups |= {"": tuple(field.id for field in self._row_of.fields)}
        texts = " ".join(template.text for template in form_templates(self._form))
        return Names(groups=groups, outputs=(), environment=environment_variables(texts))

    def read_fields(self, text: str, *, computed: bool = False) -> tuple[str, ...]:
        """Return the fields that a text reads; raises ``FormError`` if it may not be in a form."""
        return self._read(text, self.names, computed=computed)

    def read_by_options(self, field: FieldDefinition) -> tuple[str, ...]:
        """Return the fields that the choices of a field depend on; raises ``FormError``."""
        texts = [text for _, text in option_texts(field)]
        reads = [self._read(text, self.names, computed=True, outgoing=True) for text in texts]
        if isinstance(field.options, ListOptions) and field.options.where is not None:
            reads.append(self._read(field.options.where, self.names_in_list))
        return tuple(dict.fromkeys(name for read in reads for name in read))

    def reads_user(self, field: FieldDefinition) -> bool:
        """Return whether the call for a field's choices depends on who asks."""
        texts = [text for _, text in option_texts(field)]
        return any(use[0] == "request" for text in texts for use in check(text, self.names))

    def _read(
        self, text: str, names: Names, *, computed: bool = False, outgoing: bool = False
    ) -> tuple[str, ...]:
        try:
            uses = (check if computed else check_when)(text, names)
            functions = functions_of(text, names, condition=not computed)
        except TemplateError as error:
            raise FormError(str(error)) from None
        for problem in use_problems(uses, functions, outgoing=outgoing):
            raise FormError(problem)
        return tuple(use[1] for use in uses if use[0] == "fields")

    def offers_row(
        self, where: str, row: Mapping[str, Any], fields: Mapping[str, Any], context: FormContext
    ) -> bool:
        """Return whether a row of a CatalogList is offered; one that cannot be evaluated is not."""
        scopes = {**context.scopes, "fields": fields, "row": row}
        try:
            return evaluate_when(where, scopes, self.names_in_list)
        except TemplateError:
            return False

    def compute(self, template: str, fields: Mapping[str, Any], context: FormContext) -> Any:
        """Return what a template gives, None for nothing; raises ``TemplateError``.

        Which fields it reads is checked before; what it shows of the rows of a list, only here.
        """
        value = render(template, {**context.scopes, "fields": fields}, self.names)
        if self._form_passwords.in_rows:
            stars = unwrap_secrets(fields, reveal=False)
            if value != render(template, {**context.scopes, "fields": stars}, self.names):
                raise TemplateError("template-refused", "it would show a password")
        return None if value == "" else value

    def holds(self, expression: str, fields: Mapping[str, Any], context: FormContext) -> bool:
        """Return whether an expression is true; raises ``TemplateError``."""
        return evaluate_when(expression, {**context.scopes, "fields": fields}, self.names)


def row_keys(form: FormDefinition, where: str | None) -> set[str]:
    """Return the keys of a row that an expression reads; none of one that is wrong."""
    try:
        uses = check_when(where, Expressions(form).names_in_list) if where else []
    except TemplateError:
        return set()
    return {use[1] for use in uses if use[0] == "row" and use[1:2] not in ((), ("*",))}


def use_problems(
    uses: Iterable[tuple[str, ...]], functions: frozenset[str], *, outgoing: bool = False
) -> Iterator[str]:
    """Yield what a template of a form reads or calls, but must not."""
    for use in uses:
        if use[0] == "secrets" and outgoing:
            continue
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


def template_value(field: FieldDefinition, value: Any) -> Any:
    """Return a value as templates see it: a password stays a secret in everything made from it."""
    secret = field.type is FieldType.PASSWORD and value is not None
    return SecretValue(value) if secret else value
