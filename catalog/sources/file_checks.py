"""Judging one file of a catalog by its content, and naming the rules that did."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import catalog
from catalog.loading import DocumentError, load_document
from catalog.model import CatalogDocument
from catalog.sources.files import blob_id
from catalog.validation import ActionSchema, Finding, Severity, judge_isolated


@dataclass(frozen=True, slots=True)
class FileCheck:
    """What is in a file: the item with its plain data, or None where a finding is an error."""

    path: str
    sha: str
    item: CatalogDocument | None
    definition: dict[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


def judge_content(
    content: bytes, *, path: str, known_actions: Mapping[str, ActionSchema]
) -> FileCheck:
    """Judge a document by every rule that looks at one document; raises nothing."""
    sha = blob_id(content)
    verdict = judge_isolated(
        lambda: load_document(content, file=path), file=path, known_actions=known_actions
    )
    return FileCheck(path, sha, verdict.item, verdict.definition, verdict.findings)


def unreadable(error: DocumentError) -> Finding:
    """Give the finding of a file that could not be read as YAML at all."""
    return Finding(
        file=error.file,
        line=error.line,
        column=error.column,
        path="$",
        rule="yaml",
        severity=Severity.ERROR,
        message=error.message,
    )


def rules_id(known_actions: Mapping[str, ActionSchema]) -> str:
    """Name the rules as they are now: another name means that every file is judged anew."""
    digest = hashlib.sha256()
    for part in _rules(known_actions):
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()[:16]


def _rules(known_actions: Mapping[str, ActionSchema]) -> Iterator[bytes]:
    # The text of the room itself: a version number would stay the same while rules are written.
    room = Path(catalog.__file__).parent
    for file in sorted(room.rglob("*.py")):
        yield file.read_bytes()
    schemas = {name: asdict(schema) for name, schema in known_actions.items()}
    yield json.dumps(schemas, sort_keys=True, default=str).encode()
