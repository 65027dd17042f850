"""A document that nobody has published: read and judged, with as much of it as can be used."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from catalog.forms import Form
from catalog.forms.form import FormError
from catalog.loading import Document, DocumentError, load_document
from catalog.model import CatalogDocument
from catalog.sources.file_checks import unreadable
from catalog.validation import ActionSchema, Finding, Severity, judge_isolated
from catalog.validation.isolation import INTERNAL_ERROR
from catalog.validation.structure import Shape


@dataclass(frozen=True, slots=True)
class Draft:
    """What could be read of a document, and everything that was found in it.

    ``item`` is there as soon as the structure is right, ``form`` as soon as the form works, so
    that somebody who is still writing sees what there is.
    """

    findings: tuple[Finding, ...]
    item: CatalogDocument | None = None
    form: Form | None = None
    definition: dict[str, Any] = field(default_factory=dict)

    @property
    def is_valid(self) -> bool:
        """Whether the document could be published."""
        return self.item is not None and not self.errors

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that keep it from being published."""
        return tuple(one for one in self.findings if one.severity is Severity.ERROR)


def read_draft(
    content: bytes | str, *, file: str, known_actions: Mapping[str, ActionSchema]
) -> Draft:
    """Read and judge a document; raises nothing."""
    try:
        document = load_document(content, file=file)
    except DocumentError as error:
        return Draft((unreadable(error),))
    verdict = judge_isolated(lambda: document, file=file, known_actions=known_actions)
    if any(finding.rule == INTERNAL_ERROR for finding in verdict.findings):
        return Draft(verdict.findings)
    item = verdict.item or _as_far_as_possible(document)
    form = _form(item, verdict.definition)
    # An item whose form does not work cannot be asked for anything.
    return Draft(verdict.findings, item if form else None, form, verdict.definition)


def _as_far_as_possible(document: Document) -> CatalogDocument | None:
    shape = Shape(document)
    # What was made up for the rules' sake is nothing to show.
    return shape.item if shape.recovered is None or shape.recovered.only_keys else None


def _form(item: CatalogDocument | None, definition: Mapping[str, Any]) -> Form | None:
    try:
        if item is not None:
            return item.form
        presentation = definition.get("presentation")
        form = presentation.get("form") if isinstance(presentation, dict) else None
        return Form.from_mapping(form) if isinstance(form, dict) else None
    except FormError:
        # The rules have said what is wrong with it, at its place.
        return None
