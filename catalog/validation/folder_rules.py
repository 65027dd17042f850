"""Rules across files: what one document says of another. Reading files does not belong here."""

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as attribute
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

from catalog.bundle import CatalogBundle, Component
from catalog.forms import FieldDefinition
from catalog.forms.expressions import row_keys
from catalog.forms.options import ListOptions
from catalog.forms.values import canonical
from catalog.lists import CatalogList
from catalog.loading import Path
from catalog.model import CatalogDocument
from catalog.suggestions import did_you_mean
from catalog.validation.subject import Problem

_log = logging.getLogger(__name__)

FileProblems = Iterator[tuple[str, Problem]]
"""Problems, each with its file."""


@dataclass(frozen=True)
class CatalogDocuments:
    """The valid documents of a catalog by file, and the ids of those that were refused.

    ``drafts`` are refused ones whose form can be relied on. ``outputs`` are the schemas of what
    action types give, where they are known.
    """

    documents: Mapping[str, CatalogDocument]
    refused: frozenset[str] = frozenset()
    drafts: Sequence[CatalogDocument] = ()
    outputs: Mapping[str, Mapping[str, Any]] = attribute(default_factory=dict)

    @cached_property
    def by_id(self) -> Mapping[str, CatalogDocument]:
        """The documents by id; of several with one id, one."""
        return {document.id: document for document in self.documents.values()}

    @cached_property
    def items(self) -> Mapping[str, CatalogDocument]:
        """The documents by id whose form and actions are known, drafts included."""
        return {draft.id: draft for draft in self.drafts} | dict(self.by_id)

    def components(self) -> Iterator[tuple[str, CatalogBundle, Path, Component]]:
        """Yield every component of every bundle with its file and path."""
        for file, document in self.documents.items():
            if isinstance(document, CatalogBundle):
                for index, component in enumerate(document.components):
                    yield file, document, ("components", index), component


def duplicate_ids(catalog: CatalogDocuments) -> FileProblems:
    """Require unique ids; of several files with one id, the one named after it is served."""
    files: dict[str, list[str]] = defaultdict(list)
    for file, document in catalog.documents.items():
        files[document.id].append(file)
    for identifier, candidates in files.items():
        rightful = [file for file in candidates if _is_named_after(file, catalog.documents[file])]
        kept = candidates if len(candidates) == 1 else rightful if len(rightful) == 1 else []
        for file in candidates:
            if file not in kept:
                others = ", ".join(other for other in candidates if other != file)
                message = f"the item id {identifier[:80]!r} is also in {others}"
                problem = Problem(("metadata", "id"), message, "give one of them another id")
                yield file, problem


def similar_ids(catalog: CatalogDocuments) -> FileProblems:
    """Require ids that differ in more than capital letters; the one in lower case is served.

    Such files overwrite each other on some machines, and people confuse them.
    """
    files: dict[str, list[str]] = defaultdict(list)
    for file, document in catalog.documents.items():
        files[document.id.casefold()].append(file)
    for lower, candidates in files.items():
        for file in candidates:
            own = catalog.documents[file].id
            others = [one for one in candidates if catalog.documents[one].id != own]
            if others and own != lower:
                message = f"the id {own[:80]!r} differs in case only from that in {others[0]}"
                yield file, Problem(("metadata", "id"), message, "give one of them another id")


def replacements(catalog: CatalogDocuments) -> FileProblems:
    """Require that the replacement of a deprecated item is another item that exists."""
    path: Path = ("lifecycle", "deprecation", "replacement")
    for file, document in catalog.documents.items():
        wanted = document.deprecation.replacement
        if wanted == document.id:
            yield file, Problem(path, "an item cannot be its own replacement")
        elif wanted and wanted not in catalog.by_id and wanted not in catalog.refused:
            known = did_you_mean(wanted, catalog.by_id)
            message = f"there is no item {wanted[:80]!r} in this catalog{known}"
            yield file, Problem(path, message)


def option_lists(catalog: CatalogDocuments) -> FileProblems:
    """Require that options name a list of this catalog, and conditions keys of its rows."""
    for file, document in catalog.documents.items():
        for path, field in _fields(document):
            if isinstance(field.options, ListOptions):
                where = ("presentation", "form", *path, "options")
                for problem in _list_problems(catalog, document, field, where):
                    yield file, problem


def _fields(document: CatalogDocument) -> Iterator[tuple[Path, FieldDefinition]]:
    for g, group in enumerate(document.groups):
        for f, field in enumerate(group.fields):
            yield ("groups", g, "fields", f), field
            for r, inner in enumerate(field.fields):
                yield ("groups", g, "fields", f, "fields", r), inner


def _list_problems(
    catalog: CatalogDocuments, document: CatalogDocument, field: FieldDefinition, where: Path
) -> Iterator[Problem]:
    options = field.options
    if not isinstance(options, ListOptions) or options.list in catalog.refused:
        return
    found = catalog.by_id.get(options.list)
    if not isinstance(found, CatalogList):
        lists = [key for key, one in catalog.by_id.items() if isinstance(one, CatalogList)]
        known = did_you_mean(options.list, lists)
        message = f"there is no list {options.list[:80]!r} in this catalog{known}"
        yield Problem((*where, "list"), message)
        return
    keys = {key for row in found.choices for key in row}
    for key in sorted(row_keys(document.presentation.form, options.where) - keys):
        message = f"no row of {found.id} has {key[:80]!r}{did_you_mean(key, keys)}"
        yield Problem((*where, "where"), message)
    default = field.plain_default
    given = default if isinstance(default, list) else [default] if default is not None else []
    known_values = {canonical(row["value"]) for row in found.choices}
    for value in given:
        if canonical(value) not in known_values:
            message = f"the default {str(value)[:80]!r} is not a value of {found.id}"
            yield Problem((*where[:-1], "default"), message)


def component_items(catalog: CatalogDocuments) -> FileProblems:
    """Require that a component is an item of this catalog; bundles cannot contain bundles."""
    cyclic = {bundle for cycle in _cycles(catalog) for bundle in cycle}
    for file, bundle, path, component in catalog.components():
        found = catalog.by_id.get(component.catalog_item)
        where = (*path, "catalogItem")
        if found is None and component.catalog_item not in catalog.refused:
            known = did_you_mean(component.catalog_item, catalog.by_id)
            message = f"there is no item {component.catalog_item[:80]!r} in this catalog{known}"
            yield file, Problem(where, message)
        elif isinstance(found, CatalogList):
            yield file, Problem(where, f"{found.id} is a list, but a component must be an item")
        elif isinstance(found, CatalogBundle) and not {found.id, bundle.id} <= cyclic:
            message = f"{found.id} is a bundle, but a component must be an item"
            yield file, Problem(where, message, "name its components here instead")


def bundle_cycles(catalog: CatalogDocuments) -> FileProblems:
    """Require that bundles do not contain each other in a cycle."""
    for cycle in _cycles(catalog):
        names = " -> ".join([*cycle, cycle[0]])
        for file, bundle, path, component in catalog.components():
            position = cycle.index(bundle.id) if bundle.id in cycle else -1
            if position >= 0 and component.catalog_item == cycle[(position + 1) % len(cycle)]:
                message = f"the bundles contain each other in a cycle: {names}"
                yield file, Problem((*path, "catalogItem"), message)


def deprecated_components(catalog: CatalogDocuments) -> FileProblems:
    """Warn about a deprecated item in a bundle."""
    for file, _, path, component in catalog.components():
        item = catalog.by_id.get(component.catalog_item)
        if item is not None and item.deprecation.deprecated:
            instead = item.deprecation.replacement
            hint = f"use {instead}" if instead else ""
            yield file, Problem((*path, "catalogItem"), f"{item.id} is deprecated", hint)


def _is_named_after(file: str, document: CatalogDocument) -> bool:
    expected = f"{document.category}/{document.id}"
    written = str(PurePosixPath(file).with_suffix(""))
    return written == expected or written.endswith(f"/{expected}")


def _cycles(catalog: CatalogDocuments) -> list[list[str]]:
    """Return the circles among bundles, each once; a bundle is in one of them at most."""
    holds = {
        document.id: [one.catalog_item for one in document.components]
        for document in catalog.documents.values()
        if isinstance(document, CatalogBundle)
    }
    found: list[list[str]] = []
    for start in holds:
        path = _way_back(start, holds)
        if path and not any(set(path) & set(known) for known in found):
            found.append(path)
    return found


def _way_back(start: str, holds: Mapping[str, list[str]]) -> list[str]:
    came_from: dict[str, str] = {}
    waiting = [start]
    while waiting:
        here = waiting.pop(0)
        for held in holds[here]:
            if held == start:
                path = [here]
                while path[-1] != start:
                    path.append(came_from[path[-1]])
                return path[::-1]
            if held in holds and held not in came_from:
                came_from[held] = here
                waiting.append(held)
    return []
