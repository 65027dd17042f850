"""Trying documents out for platform teams: judged, drawn, filled in. Nothing is stored."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from api.tools.schemas import TemplateTest
from catalog.forms.form import FieldError
from catalog.model import CatalogDocument
from catalog.scopes import ScopeContext
from catalog.templating import TemplateError
from catalog.templating.contract import MASK
from catalog.testing.drafts import Draft, read_draft
from catalog.testing.samples import Sample
from catalog.testing.templates import TemplateSample, try_templates
from catalog.validation import ActionSchema, Finding, Severity
from pao.core.errors import Detail, ErrorCode, PaoError

BODY = "body"


class ToolsService:
    """Answers what is wrong with a document and what it would do. May take seconds: use threads."""

    def __init__(
        self, known_actions: Mapping[str, ActionSchema], surroundings: ScopeContext
    ) -> None:
        self._known_actions = known_actions
        self._surroundings = surroundings

    def validate(self, content: bytes, *, file: str = BODY) -> dict[str, Any]:
        """Give every finding in a document, and what it is."""
        draft = self._read(content, file)
        counts = {
            f"{severity}s": sum(one.severity is severity for one in draft.findings)
            for severity in Severity
        }
        return {
            "valid": draft.is_valid,
            **counts,
            "item": _about(draft.item) if draft.item else None,
            "findings": [asdict(finding) for finding in draft.findings],
        }

    def preview(self, content: bytes, *, file: str = BODY) -> dict[str, Any]:
        """Give the form of a document, whatever else is wrong with it.

        Raises ``VALIDATION_ERROR`` when there is no form that works.
        """
        draft = self._read(content, file)
        if draft.form is None:
            raise PaoError(
                ErrorCode.VALIDATION_ERROR,
                "The document has no form that works; see details.",
                details=tuple(_detail(finding) for finding in draft.errors),
            )
        metadata = draft.definition.get("metadata")
        about = metadata if isinstance(metadata, dict) else {}
        return {
            "id": about.get("id"),
            "version": about.get("version"),
            "form": draft.form.ui_schema(),
            "jsonSchema": draft.form.json_schema(),
            "findings": [asdict(finding) for finding in draft.findings],
        }

    def draft(self, item: dict[str, Any] | str) -> Draft:
        """Read a document that came inside of a body: as data, or as its YAML text."""
        return self._read(item if isinstance(item, str) else json.dumps(item), BODY)

    def test(self, body: TemplateTest, draft: Draft) -> dict[str, Any]:
        """Fill every template of an item in with sample fields; secrets show as stars."""
        now = datetime.now(UTC)
        sample = Sample(fields=body.fields, outputs=body.outputs, at=now)
        item, trials, refused = draft.item, list[TemplateSample](), tuple[FieldError, ...]()
        values: dict[str, Any] = {}
        if item is not None:
            result = item.form.validate(sample.fields, sample.today)
            refused = result.errors
            values = {
                **result.values,
                **dict.fromkeys(item.password_fields & result.values.keys(), MASK),
            }
            trials = try_templates(
                item,
                draft.definition,
                sample,
                known_actions=self._known_actions,
                surroundings=self._surroundings,
            )
        failed = any(trial.error for trial in trials)
        return {
            "valid": draft.is_valid and not refused and not failed,
            "fields": values,
            "fieldErrors": [asdict(error) for error in refused],
            "templates": [_trial(trial) for trial in trials],
            "findings": [asdict(finding) for finding in draft.findings],
        }

    def _read(self, content: bytes | str, file: str) -> Draft:
        return read_draft(content, file=file, known_actions=self._known_actions)


def _about(item: CatalogDocument) -> dict[str, Any]:
    return {"id": item.id, "kind": item.kind, "name": item.name, "version": item.version}


def _trial(trial: TemplateSample) -> dict[str, Any]:
    return {
        "actionId": trial.action,
        "path": trial.path,
        "template": trial.template,
        "references": list(trial.references),
        "result": trial.result,
        "error": _error(trial.error) if trial.error else None,
    }


def _error(error: TemplateError) -> dict[str, Any]:
    return {
        "rule": error.id,
        "line": error.line,
        "column": error.column,
        "message": error.message,
        "suggestion": error.suggestion,
    }


def _detail(finding: Finding) -> Detail:
    where = f"line {finding.line}, column {finding.column}: "
    return Detail(field=finding.path, constraint=finding.rule, message=where + finding.message)
