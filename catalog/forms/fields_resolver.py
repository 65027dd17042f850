"""Resolves the fields of a form, or of one row of a list: which are shown, and what they hold."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from catalog.forms.conditions import holds
from catalog.forms.definition import MOST_ROWS, Condition, FieldDefinition, FieldType
from catalog.forms.evaluation_context import EvaluationContext, ResolvedFields
from catalog.forms.expressions import Expressions, template_value
from catalog.forms.values import equal, resolve_date
from catalog.templating import TemplateError


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldsResolver:
    """Resolves fields that are filled in together, in an ``order`` that follows what they read.

    ``rows`` resolve the rows of lists among them.
    """

    fields: Mapping[str, FieldDefinition]
    conditions: Mapping[str, tuple[Condition, ...]]
    expressions: Expressions
    order: tuple[str, ...]
    rows: "Mapping[str, FieldsResolver]"

    def resolve(self, values: Mapping[str, Any], evaluation: EvaluationContext) -> ResolvedFields:
        """Return which fields are shown and what they hold, each after those it depends on."""
        found = ResolvedFields(
            template_values={**evaluation.template_values, **dict.fromkeys(self.fields)}
        )
        present = {**evaluation.present}
        for name in self.order:
            if not all(holds(condition, present) for condition in self.conditions[name]):
                continue
            value = self._value(self.fields[name], values.get(name), found, evaluation)
            rows = self.rows.get(name)
            shown = template_value(self.fields[name], value)
            if rows is not None and isinstance(value, list) and len(value) <= MOST_ROWS:
                inner = replace(evaluation, present=present, template_values=found.template_values)
                found.rows[name] = [rows.resolve_row(row, inner) for row in value]
                shown = [rows.row_in_templates(one) for one in found.rows[name]]
            present[name] = found.present[name] = value
            found.template_values[name] = shown
        return found

    def resolve_row(self, row: Any, evaluation: EvaluationContext) -> ResolvedFields | None:
        """Return a row as ``resolve`` does, None for what is no row."""
        return self.resolve(row, evaluation) if isinstance(row, Mapping) else None

    def _value(
        self, one: FieldDefinition, sent: Any, found: ResolvedFields, evaluation: EvaluationContext
    ) -> Any:
        if sent is not None and not one.read_only:
            return sent
        default = self._default(one, found, evaluation)
        if sent is not None and not equal(sent, default) and one.id not in found.failures:
            found.rejected.add(one.id)
        return default

    def _default(
        self, one: FieldDefinition, found: ResolvedFields, evaluation: EvaluationContext
    ) -> Any:
        if one.template is None:
            return default_of(one, evaluation.today)
        try:
            value = self.expressions.compute(
                one.template, found.template_values, evaluation.context
            )
        except TemplateError as error:
            found.failures[one.id] = error
            return None
        if value is not None:
            found.computed.add(one.id)
        return value

    def row_in_templates(self, found: ResolvedFields | None) -> dict[str, Any]:
        """Return a row as templates see it."""
        return {name: found.template_values[name] for name in self.fields} if found else {}


def default_of(one: FieldDefinition, today: date) -> Any:
    """Return the plain default of a field; that of a date may be relative to the day."""
    if one.type is FieldType.DATE and isinstance(one.default, str):
        day = resolve_date(one.default, today)
        return day.isoformat() if day else one.default
    return one.plain_default
