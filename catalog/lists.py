"""A list as its document says it: rows that fields of several items offer."""

from typing import Any, Literal

from pydantic import Field

from catalog.forms.base import OpenModel
from catalog.forms.options import MOST_OPTIONS, Scalar
from catalog.model import CatalogDocument


class ListRow(OpenModel):
    """One row; further keys are for conditions such as ``row.environment``."""

    value: Scalar = Field(description="What is stored and put into templates.")
    label: str | None = Field(None, description="What a person sees; default: the value.")


class CatalogList(CatalogDocument):
    """Choices that several forms share; it is not requested itself."""

    kind: Literal["CatalogList"] = Field(description="Choices that several forms share.")
    rows: tuple[ListRow, ...] = Field(
        min_length=1, max_length=MOST_OPTIONS, description="The choices, in display order."
    )

    @property
    def choices(self) -> list[dict[str, Any]]:
        """The rows as plain data."""
        return [row.model_dump(by_alias=True, exclude_unset=True) for row in self.rows]
