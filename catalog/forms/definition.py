"""The form as an author writes it: groups, fields, constraints, conditions.

Only the structure is checked here; what the parts mean is in checks.py and conditions.py.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    StrictBool,
    Tag,
    model_validator,
)

from catalog.forms.base import Model, label_from_id
from catalog.forms.options import Options

_Float = Annotated[float, Field(strict=True, allow_inf_nan=False)]
_Integer = Annotated[int, Field(strict=True)]
_Count = Annotated[int, Field(strict=True, ge=0)]
Number = _Integer | _Float


class FieldType(StrEnum):
    """The types of a form field."""

    STRING = "string"
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    SELECT = "select"
    MULTISELECT = "multiselect"
    DATE = "date"
    TEXTAREA = "textarea"
    PASSWORD = "password"  # noqa: S105 -- the name of a field type
    EMAIL = "email"
    FILE = "file"
    JSON = "json"
    DATETIME = "datetime"
    TIME = "time"
    DURATION = "duration"
    URL = "url"
    USER = "user"
    TEAM = "team"
    LIST = "list"


class Strength(StrEnum):
    """How strong a password must be."""

    WEAK = "weak"
    MEDIUM = "medium"
    STRONG = "strong"


class Layout(StrEnum):
    """How a form's groups are arranged."""

    SINGLE_PAGE = "single-page"
    WIZARD = "wizard"
    TABBED = "tabbed"


class Operator(StrEnum):
    """What a condition asks about the field that it depends on."""

    EQUALS = "equals"
    NOT_EQUALS = "notEquals"
    IN = "in"
    NOT_IN = "notIn"
    GREATER_THAN = "greaterThan"
    LESS_THAN = "lessThan"
    CONTAINS = "contains"
    EXISTS = "exists"


class Condition(Model):
    """A condition on a field (``dependsOn``), or ``all``, ``any`` or ``not`` of others."""

    depends_on: str | None = Field(
        None, description="Id of the field that the condition depends on."
    )
    condition: Operator | None = Field(None, description="The operator.")
    value: Any = Field(None, description="The value to compare with.")
    all: tuple["Condition", ...] | None = Field(None, description="All of these must hold.")
    any: tuple["Condition", ...] | None = Field(
        None, description="At least one of these must hold."
    )
    negated: "Condition | None" = Field(None, alias="not", description="This must not hold.")

    @model_validator(mode="after")
    def _check_one_form(self) -> Self:
        given = [self.depends_on, self.all, self.any, self.negated]
        if sum(part is not None for part in given) != 1:
            raise ValueError("a condition has exactly one of dependsOn, all, any and not")
        if (self.depends_on is None) != (self.condition is None):
            raise ValueError("dependsOn and condition must be used together")
        return self


class Choice(Model):
    """One value of an enum with the text that a person sees."""

    value: Any = Field(description="What is stored and put into templates.")
    label: str = Field(description="What a person sees.")


def _as_choice(entry: Any) -> Any:
    if isinstance(entry, dict) and entry.keys() == {"value", "label"}:
        return entry
    return entry if isinstance(entry, Choice) else {"value": entry, "label": _label(entry)}


def _label(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


_ChoiceEntry = BeforeValidator(_as_choice, json_schema_input_type=Choice | str | int | float | bool)
MOST_CHOICES, MOST_FIELDS, MOST_GROUPS = 1_000, 1_000, 200
MOST_ROWS, MOST_ROW_FIELDS, MOST_RULES = 500, 50, 200
Choices = Annotated[tuple[Annotated[Choice, _ChoiceEntry], ...], Field(max_length=MOST_CHOICES)]


class Constraints(Model):
    """Constraints of a field; which of them apply depends on its type."""

    pattern: str | None = Field(
        None, description="An RE2 pattern; may match anywhere, so anchor it with ^ and $."
    )
    min_length: _Count | None = Field(None, description="Minimum number of characters.")
    max_length: _Count | None = Field(None, description="Maximum number of characters.")
    min: Number | str | None = Field(
        None,
        description="Minimum: a number, or a date (2026-03-01, today+7d), moment, time, duration.",
    )
    max: Number | str | None = Field(None, description="Maximum, written like min.")
    step: Number | None = Field(None, description="The value must be a multiple of it.")
    enum: Choices | None = Field(None, description="The choices; may also be given on the field.")
    min_items: _Count | None = Field(None, description="Minimum number of values.")
    max_items: _Count | None = Field(None, description="Maximum number of values.")
    strength: Strength | None = None
    max_size: _Count | str | None = Field(
        None, description="Of the decoded file: a number of bytes, 5KB or 5MB.", examples=["5MB"]
    )
    types: tuple[str, ...] | None = Field(
        None, description="Media types of files.", examples=[["text/plain", "image/*"]]
    )
    json_schema: dict[str, Any] | StrictBool | None = Field(
        None, alias="schema", description="JSON Schema (draft 2020-12) of a json field."
    )
    hosts: tuple[str, ...] | None = Field(
        None, description="Hosts of a url.", examples=[["wiki.example.com", "*.example.org"]]
    )
    message: str | None = Field(None, description="Shown when one of these constraints fails.")


class ItemConstraints(Model):
    """Constraints of each text in a multiselect without an enum."""

    pattern: str | None = Field(None, description="An RE2 pattern.")
    min_length: _Count | None = Field(None, description="Minimum number of characters.")
    max_length: _Count | None = Field(None, description="Maximum number of characters.")


class RequiredWhen(Model):
    """When a field must have a value."""

    when: str = Field(min_length=1, description="An expression over the fields.")


def _kind_of_required(value: Any) -> str:
    return "when" if isinstance(value, Mapping | RequiredWhen) else "always"


Required = Annotated[
    Annotated[StrictBool, Tag("always")] | Annotated[RequiredWhen, Tag("when")],
    Discriminator(_kind_of_required),
]


class FieldDefinition(Model):
    """One field of a form."""

    id: str = Field(min_length=1, description="camelCase; fields.<id> in templates.")
    name: str | None = Field(None, description="Label; default: derived from the id.")
    type: FieldType
    required: Required = Field(
        default=False, description="Must have a value when shown: true, or {when: expression}."
    )
    default: Any = Field(
        None,
        description="Used if the field is shown and has no value; {template: ..} computes it.",
    )
    placeholder: str | None = Field(None, description="An example, shown while the field is empty.")
    description: str | None = Field(None, description="Help text: a little Markdown, no HTML.")
    enum: Choices | None = Field(None, description="Values, or value and label.")
    options: Options | None = Field(
        None, description="Where the choices come from, in place of an enum."
    )
    validation: Constraints = Constraints()
    conditional: Condition | None = Field(None, description="Shown only when this holds.")
    read_only: StrictBool = Field(
        default=False, description="Always has its default; another value is refused."
    )
    must_be: StrictBool | None = Field(
        None, description="The only value that a boolean may have, such as true for terms."
    )
    items: ItemConstraints | None = Field(None, description="Of each text of a multiselect.")
    fields: tuple["FieldDefinition", ...] = Field(
        (), max_length=MOST_ROW_FIELDS, description="Fields of each row of a list."
    )
    min_items: _Count | None = Field(None, description="Minimum number of rows.")
    max_items: _Count | None = Field(None, description="Maximum number of rows.")
    unique_by: tuple[str, ...] = Field(
        (), description="Fields whose values together are different in each row."
    )

    @property
    def label(self) -> str:
        """The name, or one made from the id: ``instanceName`` gives ``Instance name``."""
        return self.name or label_from_id(self.id)

    @property
    def choices(self) -> tuple[Choice, ...] | None:
        """The enum, of the field itself or under ``validation``."""
        return self.enum if self.enum is not None else self.validation.enum

    @property
    def holds_secret(self) -> bool:
        """Whether its value is a password, or rows with one."""
        return self.type is FieldType.PASSWORD or any(one.holds_secret for one in self.fields)

    @property
    def template(self) -> str | None:
        """The template of a computed default; a json field's default is never one."""
        default = self.default
        if self.type is FieldType.JSON or not isinstance(default, Mapping) or len(default) != 1:
            return None
        template = default.get("template")
        return template if isinstance(template, str) else None

    @property
    def plain_default(self) -> Any:
        """The default, where it is a value and no template."""
        return None if self.template is not None else self.default

    @property
    def is_always_required(self) -> bool:
        """Whether it must have a value whatever the others are; ``mustBe`` asks for one too."""
        return self.required is True or self.must_be is not None

    @property
    def required_when(self) -> str | None:
        """The expression under which it must have a value."""
        return self.required.when if isinstance(self.required, RequiredWhen) else None

    def constraint(self, name: str) -> Any:
        """Return the value of a constraint; bounds of a list may stand on the field itself."""
        own = getattr(self, name, None) if name in ("min_items", "max_items") else None
        return getattr(self.validation, name) if own is None else own


class GroupDefinition(Model):
    """A group of fields that are shown together."""

    id: str = Field(min_length=1, description="Unique in the form.")
    name: str | None = Field(None, description="Heading; default: derived from the id.")
    description: str | None = Field(
        None, description="Shown under the heading: a little Markdown, no HTML."
    )
    collapsible: StrictBool = Field(
        default=False, description="Whether the group can be collapsed."
    )
    conditional: Condition | None = None
    fields: tuple[FieldDefinition, ...] = Field(
        (), max_length=MOST_FIELDS, description="In display order."
    )

    @property
    def label(self) -> str:
        """The name, or one made from the id."""
        return self.name or label_from_id(self.id)


class FormRule(Model):
    """What must be true of several fields together."""

    id: str = Field(min_length=1, description="Unique in the form; kebab-case.")
    check: str = Field(min_length=1, description="An expression that must be true.")
    when: str | None = Field(None, description="An expression; else the rule does not apply.")
    fields: tuple[str, ...] = Field(
        (), description="Where the message is shown; default: the fields that check reads."
    )
    message: str = Field(min_length=1, description="What is wrong, and what to do.")
    severity: Literal["error", "warning"] = Field(
        "error", description="A warning is shown on review and refuses nothing."
    )


class FormDefinition(Model):
    """A form: groups of fields in display order, and rules over all of them."""

    layout: Layout = Layout.SINGLE_PAGE
    groups: tuple[GroupDefinition, ...] = Field(
        (), max_length=MOST_GROUPS, description="In display order."
    )

    rules: tuple[FormRule, ...] = Field(
        (), max_length=MOST_RULES, description="Rules over several fields."
    )

    @model_validator(mode="after")
    def _check_field_count(self) -> Self:
        if len(self.fields) > MOST_FIELDS:
            raise ValueError(f"a form has at most {MOST_FIELDS:,} fields; split the item")
        return self

    @property
    def fields(self) -> tuple[FieldDefinition, ...]:
        """All fields, in the order of the form."""
        return tuple(field for group in self.groups for field in group.fields)
