"""What platform teams may send to try a document out. Unknown keys are refused, not dropped."""

from typing import Any, Self

from pydantic import ConfigDict, Field, model_validator

from api.requests.schemas import Body
from api.tools.documents import EXAMPLE


class TemplateTest(Body):
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
        default_factory=dict, description="By action id; those not given are made up"
    )

    @model_validator(mode="after")
    def _names_one_item(self) -> Self:
        if (self.catalog_item_id is None) == (self.item is None):
            raise ValueError("give either catalogItemId or item")
        return self
