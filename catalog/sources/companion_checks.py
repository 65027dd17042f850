"""Checking a document against what lies beside the catalog, such as CODEOWNERS. No rules here."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from catalog.model import CatalogDocument
from catalog.validation import Finding


class CompanionCheck(Protocol):
    """Checks documents against the files in ``Listing.beside``.

    ``identity`` is part of a verdict's identity: where it changes, everything is checked again
    from the stored contents. Both are given the contents by path, relative to the repository.
    """

    def identity(self, beside: Mapping[str, bytes]) -> str:
        """Return what a verdict rests on: settings, and digests of the contents that count."""
        ...

    def findings(
        self, path: str, document: CatalogDocument, beside: Mapping[str, bytes]
    ) -> Iterable[Finding]:
        """Return what is wrong with a document; an error keeps its last good version.

        Lines are found by the findings' paths, whose steps are keys.
        """
        ...

    def own_findings(self, beside: Mapping[str, bytes]) -> Iterable[Finding]:
        """Return what is wrong with the files beside the catalog themselves."""
        ...
