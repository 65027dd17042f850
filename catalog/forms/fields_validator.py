"""Validates the fields of a form, or of one row of a list."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from catalog.forms.checks import FieldChecks, compile_checks, is_blank
from catalog.forms.constraint_checks import ConstraintFailure
from catalog.forms.definition import Condition, FieldDefinition, FieldType
from catalog.forms.evaluation_context import (
    EvaluationContext,
    FieldQuery,
    FieldsResult,
    ResolvedFields,
)
from catalog.forms.expressions import Expressions
from catalog.forms.fields_resolver import FieldsResolver
from catalog.forms.graph import Graph, dependency_order
from catalog.forms.offered_values import lookup_failures
from catalog.forms.result import FieldError, FormError, error_of
from catalog.forms.values import ValueFormatError, canonical, equal, excerpt
from catalog.suggestions import did_you_mean
from catalog.templating import TemplateError

_MAX_SUGGESTIONS = 20

_NAME_TYPES = frozenset({FieldType.USER, FieldType.TEAM})
_MOST_ROW_ERRORS = 100
_HIDDEN = ConstraintFailure("hidden", "does not apply with these values; leave it out")
_READ_ONLY = ConstraintFailure("readOnly", "cannot be changed; leave it out")
_REQUIRED = ConstraintFailure("required", "is required")
_NO_ROW = ConstraintFailure("type", "must be a mapping of field ids to values", "mapping")


class FieldsValidator:
    """Validates values of fields that are filled in together."""

    def __init__(
        self,
        fields: Sequence[tuple[FieldDefinition, tuple[Condition, ...]]],
        expressions: Expressions,
        graph: Graph,
        *,
        rows: "Mapping[str, FieldsValidator] | None" = None,
    ) -> None:
        self.fields: dict[str, FieldDefinition] = {}
        self._checks: dict[str, FieldChecks] = {}
        self._expressions = expressions
        self._rows = rows or {}
        for one, _ in fields:
            self._add_field(one)
        self._order = tuple(name for name in dependency_order(graph) if name in self.fields)
        self.resolver: FieldsResolver = FieldsResolver(
            fields=self.fields,
            conditions={one.id: conditions for one, conditions in fields},
            expressions=expressions,
            order=self._order,
            rows={name: validator.resolver for name, validator in self._rows.items()},
        )
        self._reads = {name: self._reads_of(one) for name, one in self.fields.items()}
        self.option_reads = {
            name: expressions.read_by_options(one)
            for name, one in self.fields.items()
            if one.options is not None
        }
        for name, read in self.option_reads.items():
            for other in read:
                _check_not_secret(self.fields[name], other, expressions.holders)

    def _add_field(self, one: FieldDefinition) -> None:
        if one.id in self.fields:
            raise FormError(f"the field {one.id!r} is used twice")
        try:
            self._checks[one.id] = compile_checks(one)
        except ValueFormatError as error:
            raise FormError(f"the validation of field {one.id!r} {error}") from None
        self.fields[one.id] = one

    def _reads_of(self, one: FieldDefinition) -> tuple[frozenset[str], frozenset[str]]:
        """Return the fields that the default reads, and those that ``required`` reads."""
        default, required = one.template, one.required_when
        read = self._expressions.read_fields
        computed = read(default, computed=True) if default is not None else ()
        for name in computed:
            _check_not_secret(one, name, self._expressions.passwords)
        return frozenset(computed), frozenset(read(required) if required is not None else ())

    def resolve(self, values: Mapping[str, Any], evaluation: EvaluationContext) -> ResolvedFields:
        """Return which fields are shown and what they hold, each after those it depends on."""
        return self.resolver.resolve(values, evaluation)

    def rows_of(self, name: str) -> "FieldsValidator | None":
        """Return the validator of a list's rows, or None if there is no such list."""
        return self._rows.get(name)

    def validate(
        self, values: Mapping[str, Any], found: ResolvedFields, evaluation: EvaluationContext
    ) -> FieldsResult:
        """Return everything that is wrong with resolved values.

        What is computed from a wrong value is not reported as well.
        """
        broken = set(evaluation.invalid)
        errors: dict[str, list[FieldError]] = {}
        required: set[str] = set()
        for name in self._order:
            inner = replace(evaluation, invalid=frozenset(broken))
            field_errors = list(
                self._field_errors(self.fields[name], values, found, inner, required)
            )
            if field_errors:
                errors[name] = field_errors
                broken.add(name)
        return FieldsResult(
            errors=tuple(error for name in self.fields for error in errors.get(name, ())),
            unknown=tuple(self._unknown_errors(values)),
            required=tuple(name for name in self.fields if name in required),
            invalid=frozenset(broken),
        )

    def _field_errors(
        self,
        one: FieldDefinition,
        values: Mapping[str, Any],
        found: ResolvedFields,
        evaluation: EvaluationContext,
        required: set[str],
    ) -> Iterator[FieldError]:
        sent = values.get(one.id)
        if one.id not in found.present:
            if sent is not None:
                yield error_of(one, _HIDDEN, sent)
            return
        error = self._computing_error(one, found, evaluation)
        if one.id in found.rejected:
            error = error_of(one, _READ_ONLY, sent)
        if error:
            yield error
            return
        yield from self._value_errors(one, sent, found, evaluation, required)

    def _value_errors(
        self,
        one: FieldDefinition,
        sent: Any,
        found: ResolvedFields,
        evaluation: EvaluationContext,
        required: set[str],
    ) -> Iterator[FieldError]:
        needed, doubt = self._is_required(one, found, evaluation)
        if doubt:
            yield doubt
        if needed:
            required.add(one.id)
        value, reads_broken = found.present[one.id], self._reads[one.id][0] & evaluation.invalid
        if value is None or is_blank(one, value):
            # What is computed from a wrong value is missing only because of that.
            if needed and not reads_broken:
                yield error_of(one, _REQUIRED, sent)
            return
        if one.id in found.computed and reads_broken:
            return
        told_here = list(self._checks[one.id].failures(value, evaluation.today))
        told_here += [] if told_here else lookup_failures(one, value, evaluation)
        yield from (error_of(one, failure, value) for failure in told_here)
        if one.id in self._rows and one.id in found.rows and not told_here:
            yield from self._row_errors(one, value, found, evaluation)

    def _computing_error(
        self, one: FieldDefinition, found: ResolvedFields, evaluation: EvaluationContext
    ) -> FieldError | None:
        error = found.failures.get(one.id)
        reads = self._reads[one.id][0]
        if error is None or reads & evaluation.invalid or _any_missing(reads, found):
            return None
        return error_of(
            one, ConstraintFailure("computed", f"cannot be computed: {error.message}"), None
        )

    def _is_required(
        self, one: FieldDefinition, found: ResolvedFields, evaluation: EvaluationContext
    ) -> tuple[bool, FieldError | None]:
        expression = one.required_when
        if expression is None or one.is_always_required:
            return one.is_always_required, None
        reads = self._reads[one.id][1]
        # One that lacks a value is null here: of two, each can be required without the other.
        if any(found.template_values.get(name) is not None for name in reads & evaluation.invalid):
            return False, None
        try:
            return self._expressions.holds(
                expression, found.template_values, evaluation.context
            ), None
        except TemplateError as error:
            if _any_missing(reads, found):
                return False, None
            failure = ConstraintFailure(
                "required", f"may be required, but that cannot be determined: {error.message}"
            )
            return False, error_of(one, failure, None)

    def _row_errors(
        self,
        one: FieldDefinition,
        value: list[Any],
        found: ResolvedFields,
        evaluation: EvaluationContext,
    ) -> Iterator[FieldError]:
        rows = self._rows[one.id]
        yield from islice(
            (
                replace(error, field=f"{one.id}[{index}]{error.field and '.'}{error.field}")
                for index, row in enumerate(found.rows[one.id])
                for error in rows.row_errors(value[index], row, _in_row(evaluation, one, index))
            ),
            _MOST_ROW_ERRORS,
        )
        twice = _duplicate_rows(one, found.rows[one.id])
        if twice:
            first, second = (str(index + 1) for index in twice)
            labels = ", ".join(rows.fields[name].label for name in one.unique_by)
            message = f"has the same {labels} in the rows {first} and {second}"
            yield error_of(one, ConstraintFailure("uniqueBy", message, list(one.unique_by)), None)

    def row_errors(
        self, row: Any, found: ResolvedFields | None, evaluation: EvaluationContext
    ) -> tuple[FieldError, ...]:
        """Return what is wrong with one row; its fields are named from the row on."""
        if found is None:
            message = f"each row {_NO_ROW.message}"
            secret = any(one.holds_secret for one in self.fields.values())
            received = None if secret else excerpt(row)
            return (FieldError("", "type", message, received, _NO_ROW.expected),)
        result = self.validate(row, found, evaluation)
        return (*result.errors, *result.unknown)

    def _unknown_errors(self, values: Mapping[str, Any]) -> Iterator[FieldError]:
        unknown = (key for key in values if key not in self.fields and values[key] is not None)
        for index, key in enumerate(unknown):
            # Comparing names costs time, and a hundred suggestions do not help.
            hint = did_you_mean(key, self.fields) if index < _MAX_SUGGESTIONS else ""
            message = f"there is no field {excerpt(key)!r}{hint or '; leave it out'}"
            yield FieldError(key, "unknown", message)

    def questions(
        self, found: ResolvedFields, evaluation: EvaluationContext
    ) -> Iterator[FieldQuery]:
        """Yield what has to be asked about resolved values, rows included."""
        for name, one in self.fields.items():
            if name not in found.present:
                continue
            if one.options is not None or one.type in _NAME_TYPES:
                seen = {
                    key: found.template_values.get(key) for key in self.option_reads.get(name, ())
                }
                yield FieldQuery(f"{evaluation.row_path}{name}", one, found.present[name], seen)
            for index, row in enumerate(found.rows.get(name, ())):
                if row is not None:
                    yield from self._rows[name].questions(row, _in_row(evaluation, one, index))

    def without_computed(
        self, values: Mapping[str, Any], found: ResolvedFields, evaluation: EvaluationContext
    ) -> dict[str, Any]:
        """Return values without those that the form gives by itself, in rows as well."""
        left: dict[str, Any] = {}
        for name, value in values.items():
            one = self.fields.get(name)
            if one is not None and self._is_computed(one, value, found, evaluation):
                continue
            rows = zip(value, found.rows[name], strict=True) if name in found.rows else None
            left[name] = (
                value
                if rows is None
                else [
                    self._rows[name].without_computed(row, seen, evaluation) if seen else row
                    for row, seen in rows
                ]
            )
        return left

    def _is_computed(
        self, one: FieldDefinition, value: Any, found: ResolvedFields, evaluation: EvaluationContext
    ) -> bool:
        if one.read_only or one.template is None:
            return one.read_only
        try:
            computed = self._expressions.compute(
                one.template, found.template_values, evaluation.context
            )
        except TemplateError:
            return False
        return equal(computed, value)

    def stored_values(self, found: ResolvedFields) -> dict[str, Any]:
        """Return the values to keep, in the order of the form; absent ones are left out."""
        values: dict[str, Any] = {}
        for name, one in self.fields.items():
            value = found.present.get(name)
            if name in found.rows:
                value = [self._rows[name].stored_values(row) for row in found.rows[name] if row]
            if value is not None:
                values[name] = _normalize(one, value)
        return values


def _check_not_secret(one: FieldDefinition, name: str, secret: frozenset[str]) -> None:
    if name in secret:
        raise FormError(f"the field {one.id!r} would show the password {name!r}")


def _in_row(evaluation: EvaluationContext, one: FieldDefinition, index: int) -> EvaluationContext:
    return replace(evaluation, row_path=f"{one.id}[{index}].")


def _any_missing(reads: frozenset[str], found: ResolvedFields) -> bool:
    """Return whether one of the fields that are read has no value."""
    return any(found.template_values.get(name) is None for name in reads)


def _duplicate_rows(
    one: FieldDefinition, rows: list[ResolvedFields | None]
) -> tuple[int, int] | None:
    if not one.unique_by:
        return None
    first: dict[Any, int] = {}
    for index, row in enumerate(rows):
        key = tuple(canonical(row.present.get(name)) for name in one.unique_by) if row else None
        if key is None:
            continue
        if key in first:
            return first[key], index
        first[key] = index
    return None


def _normalize(one: FieldDefinition, value: Any) -> Any:
    # 3.0 is the integer 3, and templates should not have to know how it was sent.
    whole = one.type is FieldType.INTEGER and isinstance(value, float) and value.is_integer()
    return int(value) if whole else value
