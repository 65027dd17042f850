"""Whether the team that owns a document is among the code owners of its file."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from catalog.ownership.code_owners import CodeOwners, CodeOwnersDialect
from catalog.validation.companion_rules import CODE_OWNERS_RULE, OWNERSHIP_RULE
from catalog.validation.findings import Finding, Severity


class OwnershipMode(StrEnum):
    """What follows when a document's owner does not own its file."""

    OFF = "off"
    REPORT = "report"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Ownership:
    """The code owners of one commit, and what is made of them.

    ``file`` is where they are written, None where the repository has no such file; ``prefix`` is
    the folder of the catalog in the repository. ``teams`` maps owners, as CODEOWNERS writes them,
    to teams; any other owner is the team of the last part of its name.
    """

    mode: OwnershipMode = OwnershipMode.OFF
    owners: CodeOwners = field(default_factory=CodeOwners)
    file: str | None = None
    prefix: str = ""
    teams: Mapping[str, str] = field(default_factory=dict)
    digest: str = ""

    @property
    def identity(self) -> str:
        """What a verdict rests on: another text means that every document is checked again."""
        if self.mode is OwnershipMode.OFF:
            return ""
        parts = (self.mode, self.digest, self.prefix, repr(sorted(self.teams.items())))
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]

    def check(self, path: str, owner_team: str | None) -> Finding | None:
        """Return what is wrong with a document's owner; ``path`` is relative to the catalog."""
        if self.mode is OwnershipMode.OFF:
            return None
        owners = self.owners.owners(f"{self.prefix}/{path}" if self.prefix else path)
        teams = {team for owner in owners if (team := self._team(owner))}
        if owner_team is not None and owner_team.casefold() in teams:
            return None
        severity = Severity.ERROR if self.mode is OwnershipMode.REFUSE else Severity.WARNING
        return Finding(
            file=path,
            line=1,
            column=1,
            path="$.metadata.owner.team",
            rule=OWNERSHIP_RULE,
            severity=severity,
            message=self._message(owner_team, owners),
            hint="name the team in CODEOWNERS, or correct metadata.owner.team",
        )

    def findings(self) -> Iterator[Finding]:
        """Yield the lines of the CODEOWNERS file that the forge skips, by their repository path."""
        for skipped in self.owners.skipped if self.mode is not OwnershipMode.OFF else ():
            yield Finding(
                file=self.file or "CODEOWNERS",
                line=skipped.line,
                column=skipped.column,
                path="$",
                rule=CODE_OWNERS_RULE,
                severity=Severity.WARNING,
                message=f"the forge skips this line: {skipped.why}",
            )

    def _message(self, team: str | None, owners: tuple[str, ...]) -> str:
        if self.file is None:
            return "the repository has no CODEOWNERS file, so no one owns this file"
        if not owners:
            return f"{self.file} names no owner of this file"
        named = ", ".join(owners[:5]) + (", ..." if len(owners) > 5 else "")  # noqa: PLR2004
        if team is None:
            return f"no team owns the document, and {self.file} names {named}"
        return f"{team} is not among the owners that {self.file} names: {named}"

    def _team(self, owner: str) -> str | None:
        mapped = {known.casefold(): team for known, team in self.teams.items()}
        if (team := mapped.get(owner.casefold())) is not None:
            return team.casefold()
        if not owner.startswith("@") or owner.startswith("@@"):
            # An address, or a role of GitLab.
            return None
        if "/" not in owner and self.owners.dialect is CodeOwnersDialect.GITHUB:
            # A person.
            return None
        return owner.removeprefix("@").rpartition("/")[2].casefold()
