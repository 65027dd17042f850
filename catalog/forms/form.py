"""The one validator: which fields are shown, which values they have, and what is wrong."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import cached_property
from typing import Any, Self

from pydantic import ValidationError

from catalog.forms.context import EMPTY_CONTEXT, FormContext
from catalog.forms.definition import (
    FieldDefinition,
    FieldType,
    FormDefinition,
    FormRule,
)
from catalog.forms.evaluation_context import (
    EvaluationContext,
    FieldQuery,
    FieldsResult,
    ResolvedFields,
)
from catalog.forms.expressions import Expressions
from catalog.forms.fields_validator import FieldsValidator
from catalog.forms.graph import (
    CONDITIONS,
    condition_fields,
    condition_graph,
    dependency_graph,
    dependency_order,
    row_graph,
)
from catalog.forms.json_schema import form_json_schema
from catalog.forms.options import ListOptions
from catalog.forms.passwords import passwords_among
from catalog.forms.result import FieldError, FormError, FormResult
from catalog.forms.ui_schema import form_ui_schema
from catalog.suggestions import did_you_mean
from catalog.templating import TemplateError
from pao.core.field_paths import form_field, row_field_path
from pao.core.passwords import PasswordFields
from pao.runtime.model_errors import messages_of

__all__ = ["FieldError", "Form", "FormError", "FormResult"]


class Form:
    """A compiled form: it validates values for the API, the CLI and the web alike."""

    def __init__(self, definition: FormDefinition) -> None:
        self.definition = definition
        self._expressions = Expressions(definition)
        _check_condition_fields(definition)
        dependency_order(condition_graph(definition), CONDITIONS)
        graph = dependency_graph(definition)
        rows = {
            one.id: _row_validator(definition, one) for one in definition.fields if _is_list(one)
        }
        fields = [
            (one, tuple(filter(None, (group.conditional, one.conditional))))
            for group in definition.groups
            for one in group.fields
        ]
        self._validator = FieldsValidator(fields, self._expressions, graph, rows=rows)
        self._rule_reads = {rule.id: self._reads_of(rule) for rule in definition.rules}

    @classmethod
    def from_mapping(cls, raw: Mapping[str, Any]) -> Self:
        """Make a form from plain data; raises ``FormError``."""
        try:
            return cls(FormDefinition.model_validate(dict(raw)))
        except ValidationError as error:
            raise FormError(next(messages_of(error))) from None

    def validate(
        self, values: Mapping[str, Any], today: date, context: FormContext = EMPTY_CONTEXT
    ) -> FormResult:
        """Validate values as of a day (UTC); nothing is coerced, and no value makes it raise."""
        evaluation = EvaluationContext(today, context)
        found = self._validator.resolve(values, evaluation)
        result = self._validator.validate(values, found, evaluation)
        rule_errors = list(self._rule_problems(found, result, evaluation))
        refused = [error for rule, error in rule_errors if rule.severity == "error"]
        errors = (*result.errors, *refused, *result.unknown)
        return FormResult(
            valid=not errors,
            values=self._validator.stored_values(found),
            errors=errors,
            visible=tuple(name for name in self.fields if name in found.present),
            required=result.required,
            computed=tuple(name for name in self.fields if name in found.computed),
            warnings=tuple(error for rule, error in rule_errors if rule.severity == "warning"),
            in_rows=tuple(_paths_in_rows(found)),
        )

    def without_computed(
        self, values: Mapping[str, Any], today: date, context: FormContext = EMPTY_CONTEXT
    ) -> dict[str, Any]:
        """Return kept values without those that the form gives by itself.

        These are the read-only ones, and those that equal what their default computes.
        """
        evaluation = EvaluationContext(today, context)
        return self._validator.without_computed(
            values, self._validator.resolve(values, evaluation), evaluation
        )

    def questions(
        self, values: Mapping[str, Any], today: date, context: FormContext = EMPTY_CONTEXT
    ) -> tuple[FieldQuery, ...]:
        """Return what must be looked up for the context before values can be validated."""
        evaluation = EvaluationContext(today, context)
        return tuple(
            self._validator.questions(self._validator.resolve(values, evaluation), evaluation)
        )

    def offered_rows(
        self, question: FieldQuery, rows: Iterable[Mapping[str, Any]], context: FormContext
    ) -> list[Mapping[str, Any]]:
        """Return the rows of a CatalogList that a field offers."""
        options = question.field.options
        if not isinstance(options, ListOptions) or options.where is None:
            return list(rows)
        keeps, where = self._expressions_of(question).offers_row, options.where
        return [row for row in rows if keeps(where, row, question.inputs, context)]

    def options_read_user(self, question: FieldQuery) -> bool:
        """Return whether the choices of a field depend on who asks."""
        return self._expressions_of(question).reads_user(question.field)

    def depends_on(self, path: str) -> tuple[str, ...] | None:
        """Return the fields that a field's choices depend on; None for a field without options.

        ``path`` is the field's id, or ``rules.cluster`` for a field in the rows of a list.
        """
        outer, _, inner = path.partition(".")
        validator = self._validator.rows_of(outer) if inner else self._validator
        return validator.option_reads.get(inner or outer) if validator else None

    def _expressions_of(self, question: FieldQuery) -> Expressions:
        outer = form_field(question.path)
        in_row = outer != question.path
        return Expressions(self.definition, self.fields[outer]) if in_row else self._expressions

    @property
    def fields(self) -> dict[str, FieldDefinition]:
        """The fields by id, in the order of the form."""
        return self._validator.fields

    def visible_paths(
        self, values: Mapping[str, Any], today: date, context: FormContext = EMPTY_CONTEXT
    ) -> frozenset[str]:
        """Return the paths of all visible fields, those in rows included."""
        found = self._validator.resolve(values, EvaluationContext(today, context))
        return frozenset((*found.present, *_paths_in_rows(found)))

    @property
    def passwords(self) -> PasswordFields:
        """The fields whose values are secrets, those in rows as well."""
        return passwords_among(self.fields.values())

    def json_schema(self) -> dict[str, Any]:
        """Return the form as a JSON Schema (draft 2020-12) of the values, absent ones left out."""
        return self._json_schema

    def ui_schema(self) -> dict[str, Any]:
        """Return the form for those who draw it: groups, fields, components, conditions."""
        return form_ui_schema(self.definition, self.depends_on)

    @cached_property
    def _json_schema(self) -> dict[str, Any]:
        return form_json_schema(self.definition)

    def _reads_of(self, rule: FormRule) -> tuple[str, ...]:
        texts = (rule.check, *filter(None, (rule.when,)))
        try:
            read = [name for text in texts for name in self._expressions.read_fields(text)]
        except FormError as error:
            raise FormError(f"the rule {rule.id!r}: {error}") from None
        for name in (*rule.fields, *read):
            if name not in self.fields:
                raise FormError(f"the rule {rule.id!r} names {name!r}, which is not a field")
        return tuple(dict.fromkeys(read))

    def _rule_problems(
        self, found: ResolvedFields, result: FieldsResult, evaluation: EvaluationContext
    ) -> Iterator[tuple[FormRule, FieldError]]:
        """Yield what the rules say; one does not apply while a field that it reads is wrong."""
        for rule in self.definition.rules:
            reads = self._rule_reads[rule.id]
            shown = [name for name in rule.fields or reads if name in found.present]
            if result.invalid.intersection(reads) or (reads and not shown):
                continue
            message = self._rule_message(rule, found, evaluation)
            for name in (shown or [""]) if message else ():
                yield rule, FieldError(name, f"rule:{rule.id}", message)

    def _rule_message(
        self, rule: FormRule, found: ResolvedFields, evaluation: EvaluationContext
    ) -> str:
        """Return the message of a rule that does not hold, or why it cannot be checked."""
        holds = self._expressions.holds
        try:
            if rule.when is not None and not holds(
                rule.when, found.template_values, evaluation.context
            ):
                return ""
            return (
                "" if holds(rule.check, found.template_values, evaluation.context) else rule.message
            )
        except TemplateError as error:
            # There is nothing to compare with a field that has no value.
            if any(found.template_values.get(name) is None for name in self._rule_reads[rule.id]):
                return ""
            return f"the rule {rule.id} cannot be checked: {error.message}"


def _is_list(one: FieldDefinition) -> bool:
    return one.type is FieldType.LIST


def _paths_in_rows(found: ResolvedFields) -> Iterator[str]:
    for name, rows in found.rows.items():
        for index, row in enumerate(rows):
            yield from (row_field_path(name, index, inner) for inner in row.present) if row else ()


def _row_validator(definition: FormDefinition, one: FieldDefinition) -> FieldsValidator:
    """Return the validator of a list's rows; raises ``FormError``."""
    known = {field.id for field in definition.fields}
    if not one.fields:
        raise FormError(f"the list {one.id!r} has no fields")
    for inner in one.fields:
        if inner.type is FieldType.LIST:
            raise FormError(f"the list {one.id!r} cannot have a field of type {inner.type}")
        if inner.id in known:
            raise FormError(f"the field {inner.id!r} of {one.id!r} has the id of another field")
    inner_types = {inner.id: inner.type for inner in one.fields}
    if passwords_among((one,)).values_in({one.id: one.plain_default}):
        raise FormError(f"the default of {one.id!r} has passwords, which everybody could read")
    for name in one.unique_by:
        if name not in inner_types:
            raise FormError(f"uniqueBy of {one.id!r} names {name!r}, which is not in its rows")
        if inner_types[name] is FieldType.PASSWORD:
            raise FormError(f"uniqueBy of {one.id!r} would reveal that two passwords are the same")
    expressions = Expressions(definition, one)
    fields = [(inner, (inner.conditional,) if inner.conditional else ()) for inner in one.fields]
    return FieldsValidator(fields, expressions, row_graph(one, expressions))


def _check_condition_fields(definition: FormDefinition) -> None:
    """Require that conditions look at fields of the form, or of the same row."""
    known = {field.id for field in definition.fields}
    graph = condition_graph(definition)
    for one in definition.fields:
        inner = {field.id for field in one.fields}
        for field in one.fields:
            _check_known_fields(field.id, condition_fields(field), known | inner)
    for field_id, seen in graph.items():
        _check_known_fields(field_id, seen, known)


def _check_known_fields(field_id: str, seen: set[str], known: set[str]) -> None:
    for name in seen:
        if name not in known:
            raise FormError(
                f"the condition of {field_id!r} refers to {name!r}, which is not a field"
                + did_you_mean(name, known)
            )
