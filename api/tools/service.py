"""Tools for platform teams: validate, preview and render documents. Nothing is stored."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from api.catalog.schemas import FieldProblem, FormLayout
from api.catalog.schemas import Finding as ShownFinding
from api.tools import schemas
from catalog.forms import OfferedChoices
from catalog.forms.form import FieldError
from catalog.model import CatalogDocument
from catalog.scopes import ScopeContext
from catalog.secrets import mask_passwords
from catalog.templating import TemplateError
from catalog.testing.samples import Sample, validate_sample
from catalog.testing.templates import TemplateSample, try_templates
from catalog.validation import ActionSchema, Finding, Severity, ValidationResult, validate
from pao.core.errors import Detail, ErrorCode, PaoError
from pao.core.payloads.context import Requester

BODY = "body"
SAMPLE_REQUESTER = Sample().requester


@dataclass(frozen=True, slots=True)
class ToolsService:
    """Validates and renders documents. May take seconds: call it in a thread."""

    known_actions: Mapping[str, ActionSchema]
    scope_context: ScopeContext

    def validate(self, content: bytes, *, file: str = BODY) -> schemas.DocumentCheck:
        """Return every finding in a document, and what it is."""
        result = self._read(content, file)
        counts = Counter(one.severity for one in result.findings)
        return schemas.DocumentCheck(
            valid=result.item is not None,
            errors=counts[Severity.ERROR],
            warnings=counts[Severity.WARNING],
            suggestions=counts[Severity.SUGGESTION],
            item=_outline(result.draft) if result.draft else None,
            findings=_finding_schemas(result.findings),
        )

    def preview(self, content: bytes, *, file: str = BODY) -> schemas.FormPreview:
        """Return the form of a document, whatever else is wrong with it.

        Raises ``VALIDATION_ERROR`` when there is no form that works.
        """
        result = self._read(content, file)
        if result.form is None:
            raise PaoError(
                ErrorCode.VALIDATION_ERROR,
                "The document has no valid form; see details.",
                details=tuple(_detail(finding) for finding in result.errors),
            )
        metadata = result.definition.get("metadata")
        about = metadata if isinstance(metadata, dict) else {}
        return schemas.FormPreview(
            id=_text(about.get("id")),
            version=_text(about.get("version")),
            form=FormLayout.model_validate(result.form.ui_schema()),
            json_schema=result.form.json_schema(),
            findings=_finding_schemas(result.findings),
        )

    def read(self, item: dict[str, Any] | str) -> ValidationResult:
        """Read a document that came inside of a body: as data, or as its YAML text."""
        return self._read(item if isinstance(item, str) else json.dumps(item), BODY)

    def test(
        self,
        body: schemas.TemplateTest,
        document: ValidationResult,
        *,
        requester: Requester = SAMPLE_REQUESTER,
        offered: Mapping[str, OfferedChoices] | None = None,
    ) -> schemas.TemplateTestResult:
        """Render every template of an item with sample fields; secrets are masked.

        ``offered`` is what fields offer by their paths, where that is known already.
        """
        sample = Sample(
            fields=body.fields,
            outputs=body.outputs,
            requester=requester,
            at=datetime.now(UTC),
            offered=offered,
        )
        item, samples, refused = document.draft, list[TemplateSample](), tuple[FieldError, ...]()
        values: dict[str, Any] = {}
        if item is not None:
            result = validate_sample(item, sample, self.scope_context)
            refused = result.errors
            values = mask_passwords(result.values, item.passwords)
            samples = try_templates(
                item,
                document.definition,
                sample,
                known_actions=self.known_actions,
                scope_context=self.scope_context,
            )
        failed = any(sample_result.error for sample_result in samples)
        return schemas.TemplateTestResult(
            valid=document.item is not None and not refused and not failed,
            fields=values,
            field_errors=[FieldProblem(**asdict(error)) for error in refused],
            templates=[_result(sample_result) for sample_result in samples],
            findings=_finding_schemas(document.findings),
        )

    def _read(self, content: bytes | str, file: str) -> ValidationResult:
        return validate(content, file=file, known_actions=self.known_actions)


def _outline(item: CatalogDocument) -> schemas.DocumentOutline:
    return schemas.DocumentOutline.model_validate(
        {"id": item.id, "kind": item.kind, "name": item.name, "version": item.version}
    )


def _finding_schemas(findings: Iterable[Finding]) -> list[ShownFinding]:
    return [ShownFinding(**asdict(finding)) for finding in findings]


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _result(trial: TemplateSample) -> schemas.TemplateResult:
    return schemas.TemplateResult(
        action_id=trial.action,
        path=trial.path,
        template=trial.template,
        references=list(trial.references),
        result=trial.result,
        error=_problem(trial.error) if trial.error else None,
    )


def _problem(error: TemplateError) -> schemas.TemplateProblem:
    return schemas.TemplateProblem(
        rule=error.id,
        line=error.line,
        column=error.column,
        message=error.message,
        suggestion=error.suggestion,
    )


def _detail(finding: Finding) -> Detail:
    where = f"line {finding.line}, column {finding.column}: "
    return Detail(field=finding.path, constraint=finding.rule, message=where + finding.message)
