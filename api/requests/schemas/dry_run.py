"""What a submission would do."""

from typing import Literal

from pydantic import Field

from api.schemas import JsonObject, Omittable, ResponseBody


class RenderedAction(ResponseBody):
    """An action as it would be carried out, secrets masked."""

    id: str
    index: int
    type: str
    name: str
    config: JsonObject
    complete: bool = Field(description="False if values come from earlier actions")
    depends_on: list[str]
    when: str | None
    runs: bool | None = Field(
        description="Whether `when` holds with these values; null where earlier actions decide"
    )
    timeout: float | None
    slow: bool
    fallback: bool = Field(description="Part of the manual way, which is taken only on demand")


class RenderedComponent(ResponseBody):
    """A component of a bundle as it would be requested."""

    id: str
    name: str
    catalog_item_id: str
    catalog_item_version: str
    depends_on: list[str]
    fields: JsonObject
    waiting: list[str] = Field(description="Fields that depend on other components")
    actions: list[RenderedAction]


class DryRun(ResponseBody):
    """What a submission would do; nothing was stored."""

    valid: Literal[True] = True
    title: str = Field(description="What the request would be called")
    fields: JsonObject = Field(description="With defaults; passwords are masked")
    components: Omittable[list[RenderedComponent]] = Field(None, description="Of bundles only")
    actions: list[RenderedAction]
    warnings: list[str]
    computed: Omittable[list[str]] = Field(
        None, description="Fields that were not sent but computed by their defaults"
    )


DRY_RUN = DryRun(
    title="orders-db",
    fields={"instanceName": "orders-db", "storageSize": 100},
    actions=[
        RenderedAction(
            id="jira-ticket-1",
            index=0,
            type="jira-ticket",
            name="Ticket for the database team",
            config={"ticket": {"project": "DB", "summaryTemplate": "PostgreSQL orders-db"}},
            complete=True,
            depends_on=[],
            when=None,
            runs=True,
            timeout=None,
            slow=False,
            fallback=False,
        )
    ],
    warnings=[],
)
