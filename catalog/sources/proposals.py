"""What a source and a reporter offer for pull and merge requests, which change nothing here."""

from typing import Protocol

from catalog.sources.source import CatalogSource, Listing, ListingContext, Unchanged
from catalog.sources.verdict import Verdict, VerdictReporter


class ProposalSource(CatalogSource, Protocol):
    """A source that can be read at any commit."""

    async def at(self, commit: str, known: ListingContext) -> Listing | Unchanged:
        """Return the folder at a commit; ``Unchanged`` where it is as it is in service."""
        ...

    async def fork_point(self, commit: str, known: ListingContext) -> str | None:
        """Return the last commit that a proposal shares with what is in service.

        None where there is none, or where it cannot be determined any more, as after a force push.
        """
        ...


class ProposalReporter(VerdictReporter, Protocol):
    """Reports to the authors of a proposal; ``again`` repeats a report at their request."""

    async def report(self, verdict: Verdict, *, again: bool = False) -> None:
        """Report a verdict at its commit."""
        ...

    async def untouched(self, commit: str, *, again: bool = False) -> None:
        """Say that a proposal does not touch the catalog."""
        ...
