"""Validates the documents of a catalog together: cross-file rules, and where they point to."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from catalog.loading import DocumentError, YamlDocument, json_path, load_document
from catalog.model import CatalogDocument
from catalog.validation import component_field_rules, component_output_rules, folder_rules
from catalog.validation.findings import Finding, Severity
from catalog.validation.folder_rules import CatalogDocuments, FileProblems
from catalog.validation.subject import ActionSchema, Problem
from catalog.validation.validator import unreadable, validate
from pao.runtime.garbage_collection import full_collections_postponed

MOST_PROBLEMS = 1_000

ReadDocument = Callable[[str], YamlDocument]
"""Returns the document of a file again, for places; raises ``DocumentError``."""


@dataclass(frozen=True, slots=True)
class FolderRule:
    """One rule across files."""

    id: str
    title: str
    severity: Severity
    check: Callable[[CatalogDocuments], FileProblems]


FOLDER_RULES: tuple[FolderRule, ...] = (
    FolderRule(
        "duplicate-item",
        "Ids are unique in the catalog",
        Severity.ERROR,
        folder_rules.duplicate_ids,
    ),
    FolderRule(
        "id-case",
        "Ids differ in more than case",
        Severity.ERROR,
        folder_rules.similar_ids,
    ),
    FolderRule("replacement", "The replacement exists", Severity.ERROR, folder_rules.replacements),
    FolderRule("options-list", "Options name a list", Severity.ERROR, folder_rules.option_lists),
    FolderRule(
        "component-item", "A component is an item", Severity.ERROR, folder_rules.component_items
    ),
    FolderRule(
        "bundle-cycle", "Bundles have no cycles", Severity.ERROR, folder_rules.bundle_cycles
    ),
    FolderRule(
        "component-fields",
        "A component's values fit its item",
        Severity.ERROR,
        component_field_rules.component_fields,
    ),
    FolderRule(
        "component-outputs",
        "Outputs of components exist",
        Severity.ERROR,
        component_output_rules.component_outputs,
    ),
    FolderRule(
        "component-deprecated",
        "No deprecated components",
        Severity.WARNING,
        folder_rules.deprecated_components,
    ),
)


def check_across_files(
    documents: Mapping[str, CatalogDocument],
    read: ReadDocument | None = None,
    *,
    refused: Collection[str] = (),
    drafts: Sequence[CatalogDocument] = (),
    known_actions: Mapping[str, ActionSchema] | None = None,
) -> list[Finding]:
    """Check with every rule across files; ``documents`` are those that are good on their own.

    ``read`` returns a file's document again where something was found in it, so that trees of
    thousands of files need not be kept; without it findings stand in the first line. ``refused``
    are ids of documents that have findings of their own: references to them are not reported
    as missing. ``drafts`` are those of them whose form can be relied on.
    """
    outputs = {name: schema.outputs for name, schema in (known_actions or {}).items()}
    catalog = CatalogDocuments(documents, frozenset(refused), drafts, outputs)
    findings = [finding for rule in FOLDER_RULES for finding in _findings_of(rule, catalog, read)]
    return sorted(findings, key=lambda finding: (finding.file, finding.line, finding.column))


def validate_files(
    files: Iterable[str],
    content: Callable[[str], bytes],
    known_actions: Mapping[str, ActionSchema],
) -> list[Finding]:
    """Check files each alone and then together; returns all findings by file and place.

    ``content`` returns a file's bytes and may raise ``DocumentError``; it is asked again for files
    in which a rule across files has found something.
    """
    with full_collections_postponed():
        return _validate_files(files, content, known_actions)


def _validate_files(
    files: Iterable[str],
    content: Callable[[str], bytes],
    known_actions: Mapping[str, ActionSchema],
) -> list[Finding]:
    findings: list[Finding] = []
    documents: dict[str, CatalogDocument] = {}
    refused: set[str] = set()
    drafts: list[CatalogDocument] = []

    for file in files:
        try:
            result = validate(content(file), file=file, known_actions=known_actions)
        except DocumentError as error:
            result = unreadable(error)
        findings += result.findings
        if result.item is not None:
            documents[file] = result.item
        elif result.claimed_id is not None:
            refused.add(result.claimed_id)
            drafts += [result.sketch] if result.sketch else []
    findings += check_across_files(
        documents,
        lambda file: load_document(content(file), file=file),
        refused=refused,
        drafts=drafts,
        known_actions=known_actions,
    )
    return sorted(findings, key=lambda finding: (finding.file, finding.line, finding.column))


def _findings_of(
    rule: FolderRule, catalog: CatalogDocuments, read: ReadDocument | None
) -> Iterator[Finding]:
    return findings_at(islice(rule.check(catalog), MOST_PROBLEMS), rule.id, rule.severity, read)


def findings_at(
    message: Iterable[tuple[str, Problem]], rule: str, severity: Severity, read: ReadDocument | None
) -> Iterator[Finding]:
    """Make findings of problems in several files."""
    for file, problem in message:
        line, column = _place(file, problem, read)
        yield Finding(
            file=file,
            line=line,
            column=column,
            path=json_path(problem.path),
            rule=rule,
            severity=severity,
            message=problem.message,
            hint=problem.hint,
        )


def _place(file: str, problem: Problem, read: ReadDocument | None) -> tuple[int, int]:
    try:
        document = read(file) if read else None
    except DocumentError:
        document = None
    if document is None:
        return 1, 1
    find = document.key_position if problem.at_key else document.position
    where = find(problem.path)
    return where.line, where.column
