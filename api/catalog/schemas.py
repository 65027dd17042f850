"""Answers about the catalog."""

from typing import Any, Literal

from pydantic import ConfigDict, Field

from api.schemas import JsonObject, Moment, Omittable, Pagination, RequestBody, ResponseBody

ItemKind = Literal["CatalogItem", "CatalogBundle"]
DocumentKind = Literal["CatalogItem", "CatalogBundle", "CatalogList"]


class CatalogEntry(ResponseBody):
    """An item or a bundle as lists show it."""

    id: str
    kind: ItemKind
    name: str
    description: str
    version: str
    category: str
    owner: str | None = Field(description="The owning team")
    tags: list[str]
    requestable: bool = Field(description="Whether the caller may request it")
    deprecated: bool
    stale: bool = Field(description="The last sync refused its file; this is the previous version")


class Facets(ResponseBody):
    """How many entries each filter value would leave, with the other filters applied."""

    category: dict[str, int]
    owner: dict[str, int]
    kind: dict[str, int]
    tag: dict[str, int]


class CountedPagination(Pagination):
    """Where a page ends, and how many entries there are on all pages."""

    total_count: int


class CatalogPage(ResponseBody):
    """A page of the catalog."""

    data: list[CatalogEntry]
    facets: Facets
    pagination: CountedPagination


class DeprecationNotice(ResponseBody):
    """Whether an item should still be used, and what to use instead."""

    deprecated: bool
    sunset_date: str | None = Field(description="From this day on, requests for it are refused")
    replacement: str | None = Field(description="Id of the item to use instead")
    migration_guide: str | None


class CatalogItem(CatalogEntry):
    """An item or a bundle, with its definition and where that comes from."""

    git_sha: str | None
    file_path: str
    loaded_at: Moment | None
    deprecation: DeprecationNotice
    definition: JsonObject = Field(description="The document as its author wrote it")


class FormChoice(ResponseBody):
    """One value that a field may take."""

    value: Any
    label: str


class FormField(ResponseBody):
    """One field of a form."""

    id: str
    name: str = Field(description="The label")
    type: str
    component: str = Field(description="How to display it, such as text-input or dropdown")
    required: bool = Field(description="Whether it must have a value whenever it is shown")
    default: Any = Field(description="A value; see defaultTemplate for one that is computed")
    placeholder: str | None
    description: str | None
    validation: JsonObject = Field(description="Constraints by name, and the author's message")
    conditional: JsonObject | None = Field(description="When to show it; null means always")
    enum: Omittable[list[FormChoice]] = None
    required_when: Omittable[str] = Field(
        None, description="An expression; the field must have a value while it is true"
    )
    default_template: Omittable[str] = Field(
        None, description="The template that computes the default"
    )
    read_only: Omittable[bool] = Field(None, description="It always has its default")
    must_be: Omittable[bool] = Field(None, description="The only value that it may have")
    options: Omittable[JsonObject] = Field(
        None,
        description="Where the choices come from, and the fields that they depend on; "
        "POST /catalog/items/{id}/options/{field} returns them",
    )
    items: Omittable[JsonObject] = Field(None, description="Constraints of each text in a list")
    fields: Omittable[list["FormField"]] = Field(None, description="The fields of a list's rows")
    unique_by: Omittable[list[str]] = Field(
        None, description="Fields whose values together are different in each row"
    )


class FormRule(ResponseBody):
    """What must be true of several fields together."""

    id: str
    check: str = Field(description="An expression")
    when: Omittable[str] = Field(None, description="The rule applies while this is true")
    fields: list[str] = Field(description="Where to show the message")
    message: str
    severity: str = Field(description="error, or warning, which refuses nothing")


class FormGroup(ResponseBody):
    """Fields that are displayed together."""

    id: str
    name: str = Field(description="The label")
    description: str | None
    collapsible: bool
    conditional: JsonObject | None = Field(description="When to show it; null means always")
    fields: list[FormField]


class FormLayout(ResponseBody):
    """A form as it is displayed."""

    layout: str
    groups: list[FormGroup]
    rules: Omittable[list[FormRule]] = None


class CatalogForm(ResponseBody):
    """An item's form as it is displayed, and the equivalent JSON Schema (draft 2020-12)."""

    id: str
    version: str
    form: FormLayout
    json_schema: JsonObject


class FormFields(RequestBody):
    """What was filled in so far."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"fields": {"environment": "production"}}]}
    )

    fields: dict[str, Any] = Field(default_factory=dict)


class OptionsQuery(FormFields):
    """What was filled in so far, and which options are wanted."""

    row: dict[str, Any] | None = Field(
        None, description="The row that the field is in, for a field of a list (rules.cluster)"
    )
    search: str = Field("", max_length=200, description="Part of a value or label")
    limit: int = Field(50, ge=1, le=1000)


class FieldOptions(ResponseBody):
    """What a field offers with these values of the others."""

    options: list[FormChoice]
    total: int = Field(description="How many match, of which options holds the first")
    problem: Omittable[str] = Field(None, description="Why nothing is offered now")
    free_text: bool = Field(description="Any text is taken while there is a problem")


class FieldProblem(ResponseBody):
    """What is wrong with a field; in the rows of a list it is named rules[0].prefix."""

    field: str
    constraint: str
    message: str
    received: Any
    expected: Any


class FormState(ResponseBody):
    """A form with these values: what is shown, what is computed, what is wrong."""

    valid: bool
    visible: list[str]
    required: list[str]
    values: JsonObject = Field(description="Sent values and defaults; passwords are masked")
    computed: list[str] = Field(description="Fields whose value was computed, not sent")
    errors: list[FieldProblem]
    warnings: list[FieldProblem]


class RefreshOptions(RequestBody):
    """What a refresh may serve that is held back otherwise."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"confirm": "9f3c2ab"}]})

    confirm: str | None = Field(
        None,
        min_length=7,
        max_length=100,
        description="Serve this revision, which is held back because it removes most items",
    )


class HeldRevision(ResponseBody):
    """A revision that is not served, because it would remove most items."""

    revision: str
    removes: int
    served: int = Field(description="How many items are in service")
    items: list[str] = Field(description="Ids of items that it would remove, twenty at most")
    since: Omittable[Moment] = None


class Unnamed(ResponseBody):
    """How many more of each kind there are than are named."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    refused: int = 0


class RefreshReport(ResponseBody):
    """What changed when the source was read again."""

    added: list[str]
    changed: list[str]
    removed: list[str]
    refused: list[str] = Field(description="Files that are not served because they are invalid")
    revision: Omittable[str] = Field(None, description="The commit that was read")
    pending: Omittable[bool] = Field(
        None, description="The source is still being read; GET /catalog/status has the result"
    )
    held: Omittable[HeldRevision] = Field(
        None, description="Why nothing changed: confirm this revision to serve it"
    )
    outdated: Omittable[str] = Field(
        None, description="Why nothing changed: the source is not newer than the catalog in service"
    )
    unnamed: Omittable[Unnamed] = Field(
        None, description="How many more there are of each kind than the lists name"
    )


class CatalogCommit(ResponseBody):
    """The commit that is in service."""

    id: str
    subject: str
    author: str
    at: Moment | None
    url: str | None


class SourceProblem(ResponseBody):
    """Why the source cannot be read."""

    cause: Literal["unavailable", "gone", "refused", "limited", "moved", "unprotected", "internal"]
    message: str
    since: Moment | None
    until: Omittable[Moment] = Field(None, description="When the source answers again, if it says")


class UnreportedCommits(ResponseBody):
    """Why the findings in commits could not be reported to their authors on the forge."""

    commits: int = Field(description="How many commits are concerned")
    cause: Literal["unavailable", "gone", "refused", "limited", "moved", "internal"]
    message: str = Field(description="Of the newest of them, like what follows")
    commit: str
    proposal: int | None = Field(description="Number of the pull or merge request, if it is of one")
    since: Moment


class CatalogStatus(ResponseBody):
    """Where the catalog comes from, how old it is, and what is not served from there."""

    source: str | None
    revision: str | None
    commit: CatalogCommit | None
    read_at: Moment | None = Field(description="When the source was read last")
    asked_at: Moment | None = Field(description="When reading it was tried last")
    age_seconds: float | None
    generation: int = Field(description="Number of the last change")
    items: int
    stale: int = Field(description="Items whose file was refused at the last sync")
    refused: int = Field(description="Files that were refused at the last sync")
    problem: SourceProblem | None
    held: HeldRevision | None
    outdated: str | None = Field(description="Why the folder of a worker is not served")
    notice: str | None = Field(description="What an operator should fix")
    limits: list[str] = Field(description="What PAO does not do for this kind of source")
    ownership: int = Field(description="Findings about code owners that refuse nothing")
    unreported: UnreportedCommits | None = Field(
        description="Commits whose check or status could not be set on the forge"
    )


class Finding(ResponseBody):
    """A finding in a document: where, by which rule, and how to fix it."""

    file: str
    line: int
    column: int
    path: str = Field(description="A JSONPath, such as $.metadata.version")
    rule: str
    severity: Literal["error", "warning", "suggestion"]
    message: str
    hint: str = ""


class RefusedFiles(ResponseBody):
    """The findings of files that the last sync refused."""

    data: list[Finding]
    ownership: list[Finding] = Field([], description="About code owners; these refuse nothing")
    checked_at: Moment | None
