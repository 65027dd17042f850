"""What only the service knows of a form: choices from elsewhere, and what depends on who asks."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from catalog.forms import FieldDefinition, Form
from catalog.forms.definition import Choice
from catalog.forms.outcome import FieldError, FormResult
from catalog.forms.values import canonical
from pao.app.cli.exits import CliError
from pao.app.cli.terminal import segment

if TYPE_CHECKING:
    from pao.app.cli.http import Api

# As many as a field may offer: all are searched here.
_MOST = 1_000


@dataclass(frozen=True, slots=True)
class Offer:
    """The choices of a field now; ``problem`` says why there are none."""

    choices: tuple[Choice, ...] = ()
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class ItemService:
    """An item of the service, for which a form is filled in."""

    api: "Api"
    item: str

    def about(self) -> Mapping[str, Any]:
        """Return what the item is: its name, version and description."""
        document: Mapping[str, Any] = self.api.get(self._path)
        return document

    def offer(
        self, way: str, fields: Mapping[str, Any], row: Mapping[str, Any] | None = None
    ) -> Offer:
        """Return what a field offers beside the other answers; a field of a list is list.field."""
        body = {"fields": dict(fields), "limit": _MOST} | (
            {} if row is None else {"row": dict(row)}
        )
        try:
            document = self.api.post(f"{self._path}/options/{segment(way)}", body).document
        except CliError as error:
            return Offer(problem=error.message)
        choices = (Choice(value=one["value"], label=one["label"]) for one in document["options"])
        return Offer(tuple(choices), document.get("problem"))

    def judged(self, fields: Mapping[str, Any]) -> FormResult:
        """Return what the service says of the form with these values; raises ``CliError``."""
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
class FormJudge:
    """Judges answers: here by the validator, by the service where that depends on who asks.

    Templates may read who that is and where the service runs. Where the service cannot be asked,
    the validator judges what it can.
    """

    form: Form
    today: date
    service: ItemService
    _is_here: bool = field(init=False)
    _known: dict[Hashable, FormResult] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        definition = self.form.definition
        fields = [one for outer in definition.fields for one in (outer, *outer.fields)]
        self._is_here = not definition.rules and not any(map(_has_template, fields))

    def __call__(self, values: Mapping[str, Any]) -> FormResult:
        """Return what is shown, computed and wrong with these values."""
        if self._is_here:
            return self.form.validate(values, self.today)
        key = canonical(dict(values))
        if key not in self._known:
            try:
                self._known[key] = self.service.judged(values)
            except CliError:
                self._is_here = True
                return self.form.validate(values, self.today)
        return self._known[key]


def _has_template(one: FieldDefinition) -> bool:
    return one.template is not None or one.required_when is not None


def _errors(entries: list[dict[str, Any]]) -> tuple[FieldError, ...]:
    return tuple(FieldError(one["field"], one["constraint"], one["message"]) for one in entries)
