"""Whether a document's owner is among the code owners of its file."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from catalog.document_kinds import parse_definition
from catalog.loading import load_document
from catalog.ownership import CodeOwnersCheck, CodeOwnersDialect, Ownership, OwnershipMode, parse
from catalog.validation import Severity

SAMPLES = Path(__file__).parents[3] / "examples" / "catalog"
PATH = "database/x.yaml"
FILE = ".github/CODEOWNERS"


def ownership(  # noqa: PLR0913 -- what a case may differ in
    text: str,
    mode: str = "refuse",
    dialect: str = "github",
    *,
    file: str | None = FILE,
    prefix: str = "catalog",
    digest: str = "d1",
    teams: Mapping[str, str] | None = None,
) -> Ownership:
    found = parse(text.encode(), CodeOwnersDialect(dialect))
    return Ownership(OwnershipMode(mode), found, file, prefix, teams or {}, digest)


@pytest.mark.parametrize(
    ("text", "team", "teams"),
    [
        ("/catalog/database/ @acme/team-database", "team-database", {}),
        ("* @acme/TEAM-database", "Team-Database", {}),
        ("* @acme/dba", "team-database", {"@ACME/dba": "team-database"}),
        ("* @ann", "team-database", {"@ann": "team-database"}),
        ("* @acme/other @acme/team-database", "team-database", {}),
    ],
)
def test_an_owner_among_the_code_owners_is_fine(
    text: str, team: str, teams: dict[str, str]
) -> None:
    assert ownership(text, teams=teams).check(PATH, team) is None


@pytest.mark.parametrize(
    ("text", "team", "message"),
    [
        ("* @acme/other", "team-database", "not among the owners that .github/CODEOWNERS names"),
        ("*.md @acme/team-database", "team-database", "names no owner of this file"),
        ("* @acme/team-database\n/catalog/", "team-database", "names no owner of this file"),
        ("/database/ @acme/team-database", "team-database", "names no owner"),
        ("* @team-database", "team-database", "not among"),
        ("* team-database@example.com", "team-database", "not among"),
        ("* @acme/team-database", None, "no team owns the document"),
        ("* @acme/dba", "dba", "not among"),
    ],
)
def test_any_other_owner_is_a_finding(text: str, team: str | None, message: str) -> None:
    finding = ownership(text, teams={"@acme/dba": "x"}).check(PATH, team)
    assert finding is not None
    assert message in finding.message
    assert (finding.rule, finding.file) == ("owner-not-code-owner", PATH)
    assert finding.severity is Severity.ERROR


def test_a_report_is_a_warning_and_off_is_silent() -> None:
    reported = ownership("* @a/b", "report").check(PATH, "c")
    assert reported is not None
    assert reported.severity is Severity.WARNING
    assert ownership("* @a/b", "off").check(PATH, "c") is None
    assert not list(ownership("* nobody", "off").findings())


def test_a_repository_without_the_file_has_no_owners() -> None:
    finding = ownership("", file=None).check(PATH, "c")
    assert finding is not None
    assert "has no CODEOWNERS file" in finding.message


def test_a_group_of_gitlab_is_a_team_by_itself() -> None:
    assert ownership("* @team-database", dialect="gitlab").check(PATH, "team-database") is None
    assert ownership("* @@owner", dialect="gitlab").check(PATH, "owner") is not None


def test_skipped_lines_are_findings_of_the_file() -> None:
    (finding,) = ownership("* @a/b\n* nobody\n").findings()
    assert (finding.file, finding.line, finding.rule) == (FILE, 2, "code-owners-line")
    assert finding.severity is Severity.WARNING


def test_what_a_verdict_rests_on_is_in_its_identity() -> None:
    first = ownership("* @a/b")
    assert first.identity == ownership("* @a/b").identity
    others = [
        ownership("* @a/b", "report"),
        ownership("* @a/b", digest="d2"),
        ownership("* @a/b", prefix="x"),
        ownership("* @a/b", teams={"@a/b": "c"}),
    ]
    assert first.identity not in {other.identity for other in others}
    assert ownership("* @a/b", "off").identity == ""


def test_a_check_judges_by_the_file_that_the_forge_uses() -> None:
    check = CodeOwnersCheck(OwnershipMode.REFUSE, CodeOwnersDialect.GITHUB, folder="catalog")
    content = (SAMPLES / "databases" / "database-postgresql-standard.yaml").read_bytes()
    item = parse_definition(load_document(content, file=PATH).data)
    team = item.owner_team
    beside = {"CODEOWNERS": b"* @acme/other", FILE: f"* @acme/{team}\n* nobody".encode()}
    assert not list(check.findings(PATH, item, beside))
    assert [one.file for one in check.own_findings(beside)] == [FILE]
    (refused,) = check.findings(PATH, item, {"CODEOWNERS": b"* @acme/other"})
    assert "that CODEOWNERS names: @acme/other" in refused.message
    (refused,) = check.findings(PATH, item, {})
    assert "has no CODEOWNERS file" in refused.message
    identities = {check.identity(given) for given in (beside, {"CODEOWNERS": b""}, {})}
    assert len(identities) == 3
