"""What the validation of one document answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from catalog.forms import Form
from catalog.forms.form import FormError
from catalog.model import CatalogDocument
from catalog.validation.findings import Finding, Severity


@dataclass(frozen=True)
class ValidationResult:
    """Everything found in one document, ordered by line and column, and what could be read of it.

    ``definition`` is the document as plain data, with numbers as they are written where the schema
    says text (``version: 1.10``); templates and later versions read it.
    ``parsed`` is the item or bundle, errors or not, unless required parts are missing or invalid;
    ``sketch`` is there also where such parts were left out or made up, but not those of the form.
    """

    file: str
    findings: tuple[Finding, ...] = ()
    definition: dict[str, Any] = field(default_factory=dict)
    parsed: CatalogDocument | None = None
    sketch: CatalogDocument | None = None

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that keep the document from being served."""
        return tuple(one for one in self.findings if one.severity is Severity.ERROR)

    @property
    def item(self) -> CatalogDocument | None:
        """The item or bundle, ready to be served; None where a finding is an error."""
        return None if self.errors else self.parsed

    @property
    def draft(self) -> CatalogDocument | None:
        """The item or bundle that an author is still writing; None until its form works."""
        return self.parsed if self.form else None

    @cached_property
    def form(self) -> Form | None:
        """The form, as soon as it works, whatever else is wrong with the document."""
        try:
            if self.parsed is not None:
                return self.parsed.form
            presentation = self.definition.get("presentation")
            form = presentation.get("form") if isinstance(presentation, Mapping) else None
            return Form.from_mapping(form) if isinstance(form, Mapping) else None
        except FormError:
            # A finding says what is wrong with it, and where.
            return None

    @property
    def claimed_id(self) -> str | None:
        """The id that the document gives itself, valid or not."""
        metadata = self.definition.get("metadata")
        claimed = metadata.get("id") if isinstance(metadata, dict) else None
        return claimed if isinstance(claimed, str) else None
