"""A folder of documents, loaded as the API does it at its first start, without a database."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from catalog.loading import DocumentError
from catalog.sources.local import LoadedItem, LocalFolder
from catalog.sources.selection import DocumentSummary, FileState, select
from catalog.validation import (
    ActionSchema,
    Finding,
    Severity,
    check_across_files,
    unreadable,
    validate,
)


@dataclass(frozen=True, slots=True)
class LoadedCatalog:
    """The items by id, and the findings: errors are ``refused``, all others ``remarks``."""

    items: dict[str, LoadedItem]
    refused: list[Finding]
    remarks: list[Finding]


def load_folder(path: Path, known_actions: Mapping[str, ActionSchema]) -> LoadedCatalog:
    """Load every document of a folder; one bad file never blocks the others."""
    folder = LocalFolder(path)
    loaded: dict[str, LoadedItem] = {}
    seen: dict[str, FileState] = {}
    for entry in folder.look().entries:
        name, sha = entry.path, entry.blob
        try:
            content = folder.content(name)
            result = validate(content, file=name, known_actions=known_actions)
        except DocumentError as error:
            result = unreadable(error)
        if result.item:
            loaded[name] = LoadedItem(result.item, result.definition, name, sha)
        facts = DocumentSummary.of(result.item, path=name) if result.item else None
        seen[name] = FileState(sha, facts, result.findings)
    across = check_across_files({name: one.item for name, one in loaded.items()})
    selection = select(seen, {}, across)
    found = [finding for one in seen.values() for finding in one.findings] + across
    return LoadedCatalog(
        {key: loaded[name] for key, name in selection.written.items()},
        list(selection.refused),
        [finding for finding in found if finding.severity is not Severity.ERROR],
    )
