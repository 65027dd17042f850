"""The answers to a form so far, validated by it: what to ask next, what is wrong."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any

from catalog.forms import FieldDefinition, Form
from catalog.forms.graph import dependency_graph
from catalog.forms.result import FieldError, FormResult
from catalog.forms.values import canonical
from pao.core.field_paths import form_field

Validate = Callable[[Mapping[str, Any]], FormResult]


class Answers:
    """Values for a form, given or typed.

    Every field is asked for unless ``expected`` names those to ask for; what is missing or
    invalid is always asked for. ``stored`` are values that a request has already: they are valid
    until they are changed or refused.
    """

    def __init__(
        self,
        form: Form,
        given: Mapping[str, Any],
        validate: Validate,
        *,
        expected: Iterable[str] | None = None,
        stored: Mapping[str, Any] | None = None,
    ) -> None:
        self.form = form
        self.validate = validate
        # Fields with the choices that were offered for them.
        self.offered_fields: dict[str, FieldDefinition] = {}
        self._stored = set(stored or ()) - given.keys()
        values = {**(stored or {}), **given}
        self._values = {name: value for name, value in values.items() if value is not None}
        every = form.fields if expected is None else expected
        self._asked_fields = set(every) - self._values.keys() | (
            set(expected or ()) & form.fields.keys()
        )
        self._refused: dict[str, Sequence[str]] = {}
        self._refused_rules: set[Hashable] = set()
        self._order = _ranks(form)

    @property
    def visible(self) -> tuple[str, ...]:
        """The fields that are shown with the answers as they are."""
        return self.validate(self._values).visible

    @property
    def fields(self) -> dict[str, Any]:
        """The values of the fields that are shown: what is submitted."""
        return {name: self._values[name] for name in self.visible if name in self._values}

    @property
    def left_out(self) -> list[str]:
        """The fields that were given or typed, and are not shown."""
        hidden = self._values.keys() - set(self.visible) - self._stored
        return [name for name in self.form.fields if name in hidden]

    @property
    def unknown(self) -> dict[str, str]:
        """The errors of values of fields that the form does not have, by field."""
        errors = self.validate(self._values).errors
        unknown = (one for one in errors if one.constraint == "unknown")
        return {one.field: one.message for one in unknown if one.field not in self._stored}

    def field(self, name: str) -> FieldDefinition:
        """Return a field, with its choices if they were offered."""
        return self.offered_fields.get(name) or self.form.fields[name]

    def get(self, name: str) -> Any:
        """Return the answer that a field has, or None."""
        return self._values.get(name)

    def default(self, name: str) -> Any:
        """Return the value of a field without an answer, or None."""
        others = {key: value for key, value in self.fields.items() if key != name}
        return self.validate(others).values.get(name)

    def is_required(self, name: str) -> bool:
        """Return whether a field must have a value with the other answers as they are."""
        return name in self._evaluate().required

    def effective_values(self) -> dict[str, Any]:
        """Return the values of all fields that are shown, defaults included."""
        return self._evaluate().values

    def problems(self, name: str) -> Sequence[str]:
        """Return what is wrong with the answer of a field; nothing if it has none."""
        if name in self._refused or name not in self._values:
            return self._refused.get(name, ())
        return _messages_about(self._evaluate(), name)

    def problems_with(self, name: str, value: Any) -> list[str]:
        """Return what would be wrong with another answer, given the other answers."""
        if name in self._stored and value == self._values.get(name):
            return []
        return _messages_about(self.validate({**self.fields, name: value}), name)

    def warnings(self) -> list[str]:
        """Return the warnings of the form, and the rules that are not satisfied yet."""
        result = self._evaluate()
        rules = [error for error in result.errors if _is_rule(error)]
        return list(dict.fromkeys(error.message for error in (*rules, *result.warnings)))

    def next(self) -> FieldDefinition | None:
        """Return the field to ask for, after those that decide whether it is shown."""
        waiting = self.unanswered or self._refuse_broken_rule()
        first = min(waiting, key=lambda name: self._order[name], default=None)
        return self.form.fields[first] if first is not None else None

    def set_answer(self, name: str, value: Any) -> None:
        """Set an answer; None leaves the field empty. Fields that it reveals are asked for."""
        before = set(self.visible)
        self._refused.pop(name, None)
        self._asked_fields.discard(name)
        if value != self._values.get(name):
            self._stored.discard(name)
        if value is None:
            self._values.pop(name, None)
        else:
            self._values[name] = value
        self._asked_fields |= set(self.visible) - before - self._values.keys()

    def refuse(self, problems: Mapping[str, Sequence[str]]) -> bool:
        """Store the service's errors of fields; return whether any of them can be asked for."""
        visible = {name for name in self.visible if not self._is_fixed(name)}
        self._refused = {name: message for name, message in problems.items() if name in visible}
        return bool(self._refused)

    @property
    def unanswered(self) -> list[str]:
        """The fields that are still to be asked for, in the order of the form."""
        result = self._evaluate()
        wrong = {
            form_field(error.field) for error in result.errors if _is_own(error, result)
        } - self._stored
        asked = self._asked_fields | wrong | self._refused.keys()
        return [name for name in result.visible if name in asked and not self._is_fixed(name)]

    def _is_fixed(self, name: str) -> bool:
        return self.form.fields[name].read_only

    def _refuse_broken_rule(self) -> list[str]:
        """Refuse the fields of a rule that is not satisfied, once for the same answers."""
        answers = self.fields
        for error in self._evaluate().errors:
            key = (error.constraint, canonical(answers))
            if _is_rule(error) and key not in self._refused_rules:
                self._refused_rules.add(key)
                same = [
                    one for one in self._evaluate().errors if one.constraint == error.constraint
                ]
                self.refuse({one.field: [one.message] for one in same})
                return list(self._refused)
        return []

    def _evaluate(self) -> FormResult:
        return self.validate(self.fields)


def _messages_about(result: FormResult, name: str) -> list[str]:
    return [
        error.message
        for error in result.errors
        if form_field(error.field) == name and _is_own(error, result)
    ]


def _is_own(error: FieldError, result: FormResult) -> bool:
    """Return whether another answer can correct the error, as far as that is known here.

    Rules concern several fields. What depends on the caller and the place only the service knows: a
    default that cannot be computed, and whether a field is required then.
    """
    if _is_rule(error) or error.constraint == "computed":
        return False
    return error.constraint != "required" or error.field in result.required or "[" in error.field


def _is_rule(error: FieldError) -> bool:
    return error.constraint.startswith("rule:")


def _ranks(form: Form) -> dict[str, int]:
    """Return the order of the prompts: that of the form, but after what a field depends on."""
    needs = {
        name: seen & form.fields.keys() for name, seen in dependency_graph(form.definition).items()
    }
    waiting, ranks = list(form.fields), dict[str, int]()
    while waiting:
        free = next(name for name in waiting if needs[name] <= ranks.keys())
        waiting.remove(free)
        ranks[free] = len(ranks)
    return ranks
