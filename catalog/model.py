"""What catalog documents say, parsed and immutable: the parts of all kinds, and the item.

How an item is provided is in fulfillment.py, bundles are in bundle.py, rules in validation/.
"""

from functools import cached_property
from typing import Any, Literal

from pydantic import (
    Field,
    StrictBool,
)

from catalog.forms import FieldDefinition, Form, FormDefinition, GroupDefinition
from catalog.forms.base import Model, OpenModel
from catalog.forms.definition import Number
from catalog.fulfillment import Action, Fulfillment, Mode
from pao.core.passwords import PasswordFields

SCHEMA_VERSION = "catalog/v1"


class Owner(Model):
    """Who is responsible for the item."""

    team: str = Field(description="The owning team; it may decide about failed requests.")
    contact: str | None = Field(None, description="Whom to contact.", examples=["db@example.com"])


class Access(Model):
    """Who may request the item; empty lists mean everyone, everywhere."""

    allowed_teams: tuple[str, ...] = Field(
        (),
        description="Only these teams may request it; empty means everyone.",
        examples=[["team-a"]],
    )
    environments: tuple[str, ...] = Field(
        (), description="Where it may be requested; empty means everywhere."
    )


class Sla(OpenModel):
    """What the owner promises."""

    provisioning_time: str | None = Field(None, description="How long it takes.", examples=["4h"])
    support_level: str | None = Field(
        None, description="Who helps, and how fast.", examples=["tier-1"]
    )


MOST_DOCUMENTATION = 50_000


class Cost(OpenModel):
    """What it costs; informational."""

    base_monthly: Number | None = Field(None, description="Cost per month.", examples=[50])
    currency: str | None = Field(None, description="Three-letter currency code.", examples=["USD"])


class Metadata(OpenModel):
    """What the item is; further constants are readable as ``{{metadata.<name>}}``."""

    id: str = Field(
        min_length=1,
        description="Unique; kebab-case, the file's name.",
        examples=["database-postgresql-standard"],
    )
    name: str = Field(
        min_length=1, description="The displayed name.", examples=["PostgreSQL Database"]
    )
    description: str | None = Field(None, description="50 to 500 characters.")
    title: str | None = Field(
        None,
        description="What a request is called, a template of at most 120 characters; default: the "
        "first required field.",
        examples=["{{fields.instanceName}} in {{fields.environment}}"],
    )
    version: str = Field(description="SemVer.", examples=["1.2.0"])
    category: str = Field(min_length=1, description="The folder.", examples=["databases"])
    owner: Owner | None = None
    tags: tuple[str, ...] = Field(
        (), description="Words for search and filters.", examples=[["postgresql", "sql"]]
    )
    access: Access = Access()
    sla: Sla | None = None
    cost: Cost | None = None


class Display(Model):
    """How the item looks in a list."""

    icon: str | None = Field(None, description="Name of an icon.", examples=["database"])
    color: str | None = Field(None, description="A CSS color, in quotes.", examples=["#336791"])
    documentation_url: str | None = Field(
        None,
        description="Documentation of the service.",
        examples=["https://docs.example.com/db"],
    )


class Presentation(Model):
    """What a requester sees."""

    display: Display = Display()
    documentation: str | None = Field(
        None,
        max_length=MOST_DOCUMENTATION,
        description="Documentation for those who request it: Markdown, no HTML.",
    )
    form: FormDefinition = FormDefinition()


class Deprecation(Model):
    """Whether the item should still be used, and what to use instead."""

    deprecated: StrictBool = Field(default=False, description="Whether the item is deprecated.")
    sunset_date: str | None = Field(
        None, description="From this date on requests are refused.", examples=["2027-01-31"]
    )
    replacement: str | None = Field(None, description="Id of the item to use instead.")
    migration_guide: str | None = Field(None, description="How to migrate, or a link to it.")


class Maintenance(Model):
    """The maintenance windows of the service behind the item."""

    windows: tuple[Any, ...] = Field((), description="When; for the reader only.")


class Lifecycle(Model):
    """Deprecation and maintenance."""

    deprecation: Deprecation = Deprecation()
    maintenance: Maintenance = Maintenance()


class Metrics(OpenModel):
    """Whether metrics are gathered."""

    enabled: StrictBool = Field(default=False, description="For the reader only.")


class Monitoring(Model):
    """What is monitored."""

    metrics: Metrics = Metrics()
    health_checks: tuple[Any, ...] = Field((), description="What is checked; for the reader only.")


class CatalogDocument(Model):
    """What every kind of document has: it can be listed, it asks for fields, it can be requested.

    Code that serves items and bundles alike takes this type; ``kind`` distinguishes them.
    """

    schema_version: Literal["catalog/v1"] = Field(description="The version of this language.")
    kind: str
    metadata: Metadata
    presentation: Presentation = Presentation()
    fulfillment: Fulfillment = Fulfillment()
    lifecycle: Lifecycle = Lifecycle()
    monitoring: Monitoring = Monitoring()

    @property
    def id(self) -> str:
        """The item's id, unique in the catalog."""
        return self.metadata.id

    @property
    def name(self) -> str:
        """The name that people see."""
        return self.metadata.name

    @property
    def description(self) -> str:
        """The description, empty where there is none."""
        return self.metadata.description or ""

    @property
    def version(self) -> str:
        """The version, as SemVer."""
        return self.metadata.version

    @property
    def category(self) -> str:
        """The category, which is the folder."""
        return self.metadata.category

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags, for search."""
        return self.metadata.tags

    @property
    def owner_team(self) -> str | None:
        """The owning team, or None where the item names no owner."""
        return self.metadata.owner.team if self.metadata.owner else None

    @property
    def allowed_teams(self) -> frozenset[str]:
        """The teams that may request it; empty means everyone."""
        return frozenset(self.metadata.access.allowed_teams)

    @property
    def deprecation(self) -> Deprecation:
        """Whether it is deprecated, and what replaces it."""
        return self.lifecycle.deprecation

    @property
    def groups(self) -> tuple[GroupDefinition, ...]:
        """The groups of the form."""
        return self.presentation.form.groups

    @property
    def fields(self) -> tuple[FieldDefinition, ...]:
        """All fields of the form, in its order."""
        return self.presentation.form.fields

    @property
    def mode(self) -> Mode:
        """How its requests are fulfilled."""
        return self.fulfillment.strategy.mode

    @property
    def manual_actions(self) -> tuple[Action, ...]:
        """The actions of the manual way, each with an id and a name."""
        return self.fulfillment.manual.actions

    @property
    def automatic_actions(self) -> tuple[Action, ...]:
        """The actions of the automatic way, each with an id and a name."""
        return self.fulfillment.automatic.actions if self.fulfillment.automatic else ()

    @cached_property
    def form(self) -> Form:
        """The form, ready to judge values; raises ``FormError`` where validation would refuse."""
        return Form(self.presentation.form)

    @property
    def passwords(self) -> PasswordFields:
        """The fields whose values are secrets."""
        return self.form.passwords


class CatalogItem(CatalogDocument):
    """One service that can be requested."""

    kind: Literal["CatalogItem"] = Field(description="One service that can be requested.")
