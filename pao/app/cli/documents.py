"""Finds, reads and checks catalog documents on this machine, for commands without a server.

This module is imported by commands only when they run: the rules take half a second to load.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

from activities.registry import action_schemas
from catalog.builtin_action_types import builtin_action_types
from catalog.loading import DocumentError
from catalog.model import CatalogDocument
from catalog.sources.files import SUFFIXES, catalog_root, documents, read_document, real
from catalog.suggestions import did_you_mean
from catalog.validation import ActionSchema, ValidationResult
from catalog.validation import validate as validate_content
from pao.app.cli.catalog_files import folder_of
from pao.app.cli.exits import CliError, ExitCode
from pao.core.names import ACTION_GROUP


@cache
def known_actions() -> Mapping[str, ActionSchema]:
    """Return the action types of this installation, with the checks of rendered configurations."""
    return action_schemas()


@cache
def types_for_rules() -> Mapping[str, ActionSchema]:
    """Return what the rules need to know of the action types.

    PAO's own are read from a file, which takes a tenth of the time of importing them with their
    clients; only where another package adds types, all are imported.
    """
    return action_schemas() if entry_points(group=ACTION_GROUP) else builtin_action_types()


@dataclass(frozen=True, slots=True)
class FoundDocument:
    """The document that a command was asked about."""

    path: Path
    result: ValidationResult

    @property
    def item(self) -> CatalogDocument:
        """The item; raises ``CliError`` if the document has errors."""
        if self.result.item is None:
            raise CliError(
                f"{self.path} has errors; fix them first",
                exit_code=ExitCode.FAILED,
                details=tuple(str(finding) for finding in self.result.errors),
            )
        return self.result.item


def find(name: str, catalog: Path | None) -> FoundDocument:
    """Return the document of a file's path, or of an item's id in the catalog folder."""
    path = Path(name)
    if not path.is_file():
        if path.suffix in SUFFIXES or path.is_dir():
            raise CliError(f"{name} is not a file", exit_code=ExitCode.NOT_FOUND)
        path = _by_id(name, catalog_folder(catalog))
    return FoundDocument(path, read(path))


def read(path: Path) -> ValidationResult:
    """Read and check a file."""
    try:
        content = read_document(path, display_path(path))
    except DocumentError as error:
        raise CliError(f"{error.file}: {error.message}", exit_code=ExitCode.USAGE) from error
    return validate_content(content, file=display_path(path), known_actions=types_for_rules())


def catalog_folder(folder: Path | None) -> Path:
    """Return the folder of documents: the one named, CATALOG_PATH, ``catalog/``, or this one."""
    folder_path = folder or Path(os.environ.get("CATALOG_PATH") or ".")
    try:
        catalog_root(folder_path)
    except FileNotFoundError as error:
        raise CliError(str(error), exit_code=ExitCode.USAGE) from error
    return folder_of(folder_path)


def display_path(path: Path) -> str:
    """Return a path as findings show it: relative if it is below this folder, with slashes."""
    # A link is shown by its own name, not by that of its target.
    for whole in (Path(os.path.normpath(path.absolute())), real(path)):
        if whole.is_relative_to(Path.cwd()):
            return whole.relative_to(Path.cwd()).as_posix()
    return path.as_posix()


def _by_id(name: str, folder: Path) -> Path:
    found = {file.stem: file for file in documents(real(folder))}
    if name in found:
        return found[name]
    hint = did_you_mean(name, found).removeprefix("; ")
    raise CliError(
        f"There is no item {name!r} in {folder}",
        exit_code=ExitCode.NOT_FOUND,
        hint=f"{hint.capitalize()} " * bool(hint)
        + "Pass a file's path, or the catalog folder with --catalog.",
    )
