"""Checks documents against the CODEOWNERS file beside the catalog."""

import hashlib
from collections.abc import Iterable, Mapping
from functools import lru_cache

from catalog.model import CatalogDocument
from catalog.ownership.code_owners import LOCATIONS, CodeOwners, CodeOwnersDialect, parse
from catalog.ownership.ownership import Ownership, OwnershipMode
from catalog.validation import Finding


class CodeOwnersCheck:
    """A check of what lies beside the catalog: see ``catalog.sources.companion_checks``.

    ``folder`` is the catalog's in the repository; ``teams`` maps owners to teams.
    """

    def __init__(
        self,
        mode: OwnershipMode,
        dialect: CodeOwnersDialect,
        *,
        folder: str = "",
        teams: Mapping[str, str] | None = None,
    ) -> None:
        self._mode = mode
        self._dialect = dialect
        self._folder = folder
        self._teams = dict(teams or {})
        # One sync asks for each of its documents.
        self._parse = lru_cache(maxsize=2)(parse)

    def identity(self, beside: Mapping[str, bytes]) -> str:
        """Return what a verdict rests on: the settings and the file."""
        return self._ownership(beside).identity

    def findings(
        self, path: str, document: CatalogDocument, beside: Mapping[str, bytes]
    ) -> Iterable[Finding]:
        """Return what is wrong with the owner of a document."""
        found = self._ownership(beside).check(path, document.owner_team)
        return [found] if found else []

    def own_findings(self, beside: Mapping[str, bytes]) -> Iterable[Finding]:
        """Return the lines of the file that the forge skips."""
        return list(self._ownership(beside).findings())

    def _ownership(self, beside: Mapping[str, bytes]) -> Ownership:
        file = next((path for path in LOCATIONS[self._dialect] if path in beside), None)
        content = beside[file] if file else b""
        owners = self._parse(content, self._dialect) if file else CodeOwners(self._dialect)
        digest = hashlib.sha256(content).hexdigest()[:16] if file else ""
        return Ownership(self._mode, owners, file, self._folder, self._teams, digest)
