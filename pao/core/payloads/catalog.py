"""Input and result of a catalog sync, between API, workflow and worker."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class SyncSignal:
    """A reason to look at the source.

    ``commit`` is the one that a push has named, ``before`` the one that it replaced, ``delivery``
    its id: the same delivery is taken once.
    """

    reason: str
    commit: str | None = None
    before: str | None = None
    delivery: str | None = None


POLL, PUSH, FOLDER, START, REFRESH = "poll", "push", "folder", "start", "refresh"


@dataclass(frozen=True)
class CatalogProposal:
    """A pull or merge request into the catalog's branch, at its newest commit.

    ``again``: somebody asked to check the commit again; a commit of the branch has no number.
    """

    number: int | None
    commit: str
    again: bool = False


@dataclass(frozen=True)
class SyncRequest:
    """What a person asks for: ``force`` takes an older copy, ``confirm`` a held-back revision."""

    force: bool = False
    confirm: str | None = None


@dataclass(frozen=True)
class SyncInput:
    """One run: why, the commit that a push has named last, and what a person has asked for."""

    reasons: list[str] = field(default_factory=list)
    expects: str | None = None
    force: bool = False
    confirm: str | None = None

    @property
    def is_poll(self) -> bool:
        """Whether it is only a poll."""
        return self.reasons == [POLL]

    @property
    def is_requested(self) -> bool:
        """Whether a person waits for the result."""
        return REFRESH in self.reasons


@dataclass(frozen=True)
class HeldRevision:
    """A revision that is not taken over, because it would remove most items."""

    revision: str
    removes: int
    served: int
    items: list[str] = field(default_factory=list)

    @classmethod
    def from_document(cls, stored: Mapping[str, Any]) -> "HeldRevision":
        """Return the revision of a stored document, which may have other keys."""
        return cls(**{name: stored[name] for name in ("revision", "removes", "served", "items")})

    def __str__(self) -> str:
        return (
            f"revision {self.revision[:12]} would remove {self.removes} of {self.served} items and"
            " is held back"
        )


@dataclass(frozen=True)
class SyncReport:
    """What a sync changed, by item id, and the files that were refused.

    ``unnamed`` says for each kind how many more there are than are named.
    ``judged`` counts the files that were checked for it. ``outdated`` says why nothing was, where
    a copy is not newer than what is served; ``problem`` why the source could not be read.
    ``late`` is true if the source does not show yet what a push has named; ``skipped`` says why a
    poll did not ask it.
    """

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    judged: int = 0
    outdated: str | None = None
    held: HeldRevision | None = None
    revision: str | None = None
    problem: str | None = None
    cause: str | None = None
    late: bool = False
    skipped: str | None = None
    unnamed: dict[str, int] = field(default_factory=dict)

    def count(self, kind: str) -> int:
        """Return how many there are of a kind, including unnamed ones."""
        return len(getattr(self, kind)) + self.unnamed.get(kind, 0)

    def summary(self) -> str:
        """Return in one line how much has changed, for logs."""
        counts = [f"{self.count(kind)} {kind}" for kind in ("added", "changed", "removed")]
        return f"{', '.join(counts)}, {self.judged} files checked, {self.count('refused')} refused"

    def document(self) -> dict[str, Any]:
        """Return the names that changed, as lists, and how many are not among them."""
        names = ("added", "changed", "removed", "refused")
        unnamed = {"unnamed": self.unnamed} if self.unnamed else {}
        return {name: list(getattr(self, name)) for name in names} | unnamed
