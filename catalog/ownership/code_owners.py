"""Reads CODEOWNERS files of GitHub and GitLab; the last matching line of a section decides."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from catalog.ownership.path_patterns import ANY_DEPTH, PathPattern, PathPatternError

# GitHub ignores a file that is larger; more lines than this would cost minutes per check.
MAX_BYTES = 3 * 1024 * 1024
MAX_RULES = 10_000
MAX_SKIPPED = 100


class CodeOwnersDialect(StrEnum):
    """Whose rules of syntax apply."""

    GITHUB = "github"
    GITLAB = "gitlab"


LOCATIONS: Mapping[CodeOwnersDialect, tuple[str, ...]] = {
    CodeOwnersDialect.GITHUB: (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"),
    CodeOwnersDialect.GITLAB: ("CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"),
}
"""Where a forge looks for the file; it uses the first one only."""

_GITHUB_OWNER = re.compile(
    r"@[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98})(?:/[A-Za-z0-9_.-]{1,100})?"
    r"|[^\s@,;:<>()]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"
)
# GitLab takes names out of whatever stands there, comments included; @@ names a role. A word that
# begins no address is matched as a whole, so that it is not tried again from its next character.
_GITLAB_OWNER = re.compile(
    r"(?P<owner>@{1,2}[A-Za-z0-9_][\w.-]*(?:/[\w.-]+)*"
    r"|[^\s@,;:<>()]++@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)"
    r"|[^\s@,;:<>()]++"
)
_PATTERN = re.compile(r"(?:\\.|[^\s\\])*\\?")
_COMMENT = re.compile(r"(?:^|\s)#.*")
_SECTION = re.compile(r"(?P<optional>\^)?\[(?P<name>[^\]]+)\](?:\[(?P<count>\d+)\])?(?P<rest>.*)")


@dataclass(frozen=True, slots=True)
class SkippedLine:
    """A line that the forge skips: where, why, and the line itself, shortened."""

    line: int
    column: int
    why: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class _OwnerRule:
    pattern: PathPattern
    owners: tuple[str, ...]
    excluded: bool = False


@dataclass(frozen=True, slots=True)
class CodeOwners:
    """A file that was read: its rules by section, and the lines that the forge skips."""

    dialect: CodeOwnersDialect = CodeOwnersDialect.GITHUB
    sections: Mapping[str, tuple[_OwnerRule, ...]] = field(default_factory=dict)
    skipped: tuple[SkippedLine, ...] = ()

    def owners(self, path: str) -> tuple[str, ...]:
        """Return the owners of a file, by its path from the root, as they are written."""
        segments = path.strip("/").split("/")
        found = (_deciding_rule(rules, segments) for rules in self.sections.values())
        return tuple({owner: None for rule in found if rule for owner in rule.owners})


def _deciding_rule(rules: tuple[_OwnerRule, ...], segments: Sequence[str]) -> _OwnerRule | None:
    """Return the last rule that covers a file; what was excluded is not included again."""
    if any(rule.excluded and rule.pattern.covers(segments) for rule in rules):
        return None
    return next((rule for rule in reversed(rules) if rule.pattern.covers(segments)), None)


@dataclass(slots=True)
class _ParsedLines:
    sections: dict[str, list[_OwnerRule]] = field(default_factory=dict)
    skipped: list[SkippedLine] = field(default_factory=list)
    count: int = 0

    def add(self, rule: _OwnerRule, *, section: str = "") -> None:
        self.count += 1
        if self.count <= MAX_RULES:
            self.sections.setdefault(section, []).append(rule)

    def skip(self, number: int, line: str, why: str, *, column: int = 1) -> None:
        if len(self.skipped) < MAX_SKIPPED:
            self.skipped.append(SkippedLine(number, column, why, line.strip()[:200]))


def parse(content: bytes, dialect: CodeOwnersDialect) -> CodeOwners:
    """Read a file as its forge does; never raises."""
    if len(content) > MAX_BYTES:
        return _ignored_file(dialect, "the file is larger than 3 MB, so it is ignored")
    reading = _ParsedLines()
    text = content.decode("utf-8-sig", errors="replace")
    (_read_github if dialect is CodeOwnersDialect.GITHUB else _read_gitlab)(_lines(text), reading)
    if reading.count > MAX_RULES:
        return _ignored_file(
            dialect, f"the file has more than {MAX_RULES:,} lines with owners: PAO does not use it"
        )
    sections = {name: tuple(rules) for name, rules in reading.sections.items()}
    return CodeOwners(dialect, sections, tuple(reading.skipped))


def _ignored_file(dialect: CodeOwnersDialect, why: str) -> CodeOwners:
    return CodeOwners(dialect, skipped=(SkippedLine(1, 1, why),))


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield number, line.rstrip("\r")


def _read_github(lines: Iterable[tuple[int, str]], reading: _ParsedLines) -> None:
    for number, line in lines:
        start = _PATTERN.match(line.lstrip())
        written = start[0] if start else ""
        rest = _COMMENT.sub("", line.lstrip()[len(written) :])
        owners = rest.split()
        bad = next((owner for owner in owners if not _GITHUB_OWNER.fullmatch(owner)), None)
        if bad is not None:
            why = f"{bad[:100]!r} is not an owner; write @user, @organization/team or an address"
            reading.skip(number, line, why, column=line.index(bad, len(written)) + 1)
            continue
        try:
            reading.add(_OwnerRule(_github_pattern(written), tuple(owners)))
        except PathPatternError as error:
            reading.skip(number, line, str(error))


def _github_pattern(text: str) -> PathPattern:
    for sign, why in (
        ("***", "*** is not a pattern; write ** for any number of folders"),
        ("[", "a range in brackets is not supported"),
    ):
        if sign in text:
            raise PathPatternError(why)
    if text.startswith("!"):
        raise PathPatternError("a pattern cannot be negated with !")
    if text.startswith("\\#"):
        raise PathPatternError("a # at the beginning cannot be escaped")
    if text.endswith("\\") and not text.endswith("\\\\"):
        raise PathPatternError("the pattern ends in a backslash")
    folder = text.endswith("/")
    body = text.rstrip("/") if folder else text
    segments = body.removeprefix("/").split("/")
    if segments == [""]:
        raise PathPatternError("the pattern matches nothing; write * for everything")
    if "/" not in body:
        segments = [ANY_DEPTH, *segments]
    if folder:
        return PathPattern((*segments, "*"), descends=True)
    if "/" in body and segments[-1] == ANY_DEPTH:
        return PathPattern((*segments, "*"))
    # Nothing but an asterisk at the end of a longer pattern means the files of that folder only.
    direct = "/" in body and segments[-1] == "*"
    return PathPattern(tuple(segments), descends=not direct)


def _read_gitlab(lines: Iterable[tuple[int, str]], reading: _ParsedLines) -> None:
    section = ""
    default_owners: tuple[str, ...] = ()
    for number, line in lines:
        text = line.strip()
        if text.startswith(("[", "^[")):
            heading = _SECTION.fullmatch(text)
            if heading is not None:
                section = heading["name"].strip().casefold()
                default_owners = _gitlab_owners(heading["rest"])
                continue
            reading.skip(number, line, "the heading of the section cannot be read")
        excluded = text.startswith("!")
        found = _PATTERN.match(text.removeprefix("!"))
        written = found[0] if found else ""
        owners = _gitlab_owners(text[len(written) + excluded :]) or default_owners
        if not excluded and not owners:
            reading.skip(number, line, "the line names no owner")
            continue
        owners = () if excluded else owners
        reading.add(_OwnerRule(_gitlab_pattern(written), owners, excluded), section=section)


def _gitlab_owners(text: str) -> tuple[str, ...]:
    return tuple(owner for owner in _GITLAB_OWNER.findall(text) if owner)


def _gitlab_pattern(text: str) -> PathPattern:
    if text in {"*", "/"}:
        return PathPattern((ANY_DEPTH,), ranges=True)
    segments = text.removeprefix("/").split("/")
    if not text.startswith("/"):
        segments = [ANY_DEPTH, *segments]
    if text.endswith("/"):
        segments = [*segments[:-1], ANY_DEPTH, "*"]
    elif segments[-1] == ANY_DEPTH:
        segments[-1] = "*"
    return PathPattern(tuple(segments), ranges=True)
