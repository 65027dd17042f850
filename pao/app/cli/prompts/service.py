"""What only the service knows of a form: choices from elsewhere, and what depends on the caller."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from catalog.forms import FieldDefinition, Form
from catalog.forms.context import OfferedChoices
from catalog.forms.definition import Choice
from catalog.forms.result import FieldError, FormResult
from catalog.forms.values import canonical
from pao.app.cli.exits import CliError
from pao.app.cli.terminal import segment

if TYPE_CHECKING:
    from pao.app.cli.http import Api

# As many as a field may offer: all are searched here.
_MAX_CHOICES = 1_000


@dataclass(frozen=True, slots=True)
class ItemService:
    """An item of the service whose form is filled in."""

    api: "Api"
    item: str

    def about(self) -> Mapping[str, Any]:
        """Return the item's name, version and description."""
        document: Mapping[str, Any] = self.api.get(self._path)
        return document

    def offered_choices(
        self, path: str, fields: Mapping[str, Any], row: Mapping[str, Any] | None = None
    ) -> OfferedChoices:
        """Return a field's choices, given the other answers; a field of a list is list.field."""
        body = {"fields": dict(fields), "limit": _MAX_CHOICES} | (
            {} if row is None else {"row": dict(row)}
        )
        try:
            document = self.api.post(f"{self._path}/options/{segment(path)}", body).document
        except CliError as error:
            return OfferedChoices(problem=error.message)
        choices = (Choice(value=one["value"], label=one["label"]) for one in document["options"])
        return OfferedChoices(tuple(choices), document.get("problem"))

    def evaluate(self, fields: Mapping[str, Any]) -> FormResult:
        """Return the service's validation of the form with these values; raises ``CliError``."""
        document = self.api.post(f"{self._path}/form", {"fields": dict(fields)}).document
        return FormResult(
            valid=document["valid"],
            values=document["values"],
            errors=_errors(document["errors"]),
            visible=tuple(document["visible"]),
            required=tuple(document["required"]),
            computed=tuple(document["computed"]),
            warnings=_errors(document["warnings"]),
        )

    @property
    def _path(self) -> str:
        return f"/catalog/items/{segment(self.item)}"


@dataclass(slots=True)
class FormValidator:
    """Validates answers locally, or by the service if the form depends on the caller.

    Templates may read who that is and where the service runs. If the service is unavailable, the
    local validator checks what it can.
    """

    form: Form
    today: date
    service: ItemService
    _is_local: bool = field(init=False)
    _cache: dict[Hashable, FormResult] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        definition = self.form.definition
        fields = [one for outer in definition.fields for one in (outer, *outer.fields)]
        self._is_local = not definition.rules and not any(map(_has_template, fields))

    def __call__(self, values: Mapping[str, Any]) -> FormResult:
        """Return which fields are shown, computed and invalid with these values."""
        if self._is_local:
            return self.form.validate(values, self.today)
        key = canonical(dict(values))
        if key not in self._cache:
            try:
                self._cache[key] = self.service.evaluate(values)
            except CliError:
                self._is_local = True
                return self.form.validate(values, self.today)
        return self._cache[key]


def _has_template(one: FieldDefinition) -> bool:
    return one.template is not None or one.required_when is not None


def _errors(entries: list[dict[str, Any]]) -> tuple[FieldError, ...]:
    return tuple(FieldError(one["field"], one["constraint"], one["message"]) for one in entries)
