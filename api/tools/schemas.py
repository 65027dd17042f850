"""Bodies and answers of the tools for platform teams."""

from typing import Any, Self

from pydantic import ConfigDict, Field, model_validator

from api.catalog.schemas import DocumentKind, FieldProblem, Finding, FormLayout
from api.schemas import JsonObject, RequestBody, ResponseBody
from api.tools.documents import EXAMPLE


class TemplateTest(RequestBody):
    """An item, published or not, with sample fields, and outputs of its earlier actions."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"catalogItemId": "network-dns-record", "fields": {"hostName": "a.example.com"}},
                {
                    "item": EXAMPLE,
                    "fields": {"hostName": "a.example.com"},
                    "outputs": {"jira-ticket-1": {"key": "NET-1"}},
                },
            ]
        }
    )

    catalog_item_id: str | None = Field(None, max_length=200, description="A published item")
    item: dict[str, Any] | str | None = Field(None, description="A document, or its YAML text")
    fields: dict[str, Any] = Field(default_factory=dict)
    outputs: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="By action id; missing ones are generated"
    )

    @model_validator(mode="after")
    def _names_one_item(self) -> Self:
        if (self.catalog_item_id is None) == (self.item is None):
            raise ValueError("provide either catalogItemId or item")
        return self


class DocumentOutline(ResponseBody):
    """Which item or bundle a document describes."""

    id: str
    kind: DocumentKind
    name: str
    version: str


class DocumentCheck(ResponseBody):
    """Everything that was found in a document."""

    valid: bool = Field(description="Whether it would be served: it has no errors")
    errors: int
    warnings: int
    suggestions: int
    item: DocumentOutline | None = Field(description="Null when the document is too broken to say")
    findings: list[Finding]


class FormPreview(ResponseBody):
    """The form of an unpublished document, and everything that was found in the document."""

    id: str | None
    version: str | None
    form: FormLayout
    json_schema: JsonObject
    findings: list[Finding]


class TemplateProblem(ResponseBody):
    """What is wrong with a template; line and column count in the template."""

    rule: str
    line: int
    column: int
    message: str
    suggestion: str | None


class TemplateResult(ResponseBody):
    """One template: what it reads, and its result or its error."""

    action_id: str
    path: str
    template: str
    references: list[str]
    result: Any
    error: TemplateProblem | None


class TemplateTestResult(ResponseBody):
    """Every template of an item, rendered with sample values."""

    valid: bool
    fields: JsonObject = Field(description="With defaults; passwords are masked")
    field_errors: list[FieldProblem]
    templates: list[TemplateResult]
    findings: list[Finding]
