"""What verdicts rest on beside the documents, and what is reported to whoever wrote them."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from catalog.model import CatalogDocument
from catalog.ownership import CodeOwnersCheck, CodeOwnersDialect, OwnershipMode
from catalog.sources.source import ListingContext
from catalog.sources.verdict import Verdict
from catalog.validation import Finding, Severity
from db.session import Database
from pao.app.catalog_sync import CatalogSync
from tests.pao.app.test_catalog_sources import KNOWN, MANY, served, status, sync_of
from tests.support.catalog_source import Repository


class Owners:
    """Refuses items of teams that the file beside the catalog does not name."""

    def identity(self, beside: Mapping[str, bytes]) -> str:
        return beside.get("CODEOWNERS", b"").decode()

    def findings(
        self, path: str, document: CatalogDocument, beside: Mapping[str, bytes]
    ) -> Iterable[Finding]:
        if (document.owner_team or "").encode() not in beside.get("CODEOWNERS", b""):
            yield _finding(path, "owner")

    def own_findings(self, beside: Mapping[str, bytes]) -> Iterable[Finding]:
        if b"?" in beside.get("CODEOWNERS", b""):
            yield _finding("CODEOWNERS", "line")


def _finding(path: str, rule: str) -> Finding:
    return Finding(path, 1, 1, "$", rule, Severity.ERROR, "no owner")


async def test_what_lies_beside_the_catalog_is_part_of_every_verdict(
    opened: Database, source: Repository
) -> None:
    source.beside["CODEOWNERS"] = b"* @acme/team-a"
    sync = CatalogSync(opened, source, KNOWN, check=Owners())
    assert (await sync.run()).refused == ()
    source.beside["CODEOWNERS"] = b"* @acme/team-b ?"
    before = len(source.fetched)
    report = await sync.run()
    assert (report.judged, len(report.refused)) == (3, 4)
    assert source.fetched[before:] == ["CODEOWNERS"]
    assert set((await served(opened)).values()) == {("1.0.0", True)}
    assert (await sync.run()).judged == 0


async def test_findings_about_owners_that_refuse_nothing_are_kept_for_operators(
    opened: Database, source: Repository
) -> None:
    source.beside["CODEOWNERS"] = b"* @acme/team-b\n* nobody\n"
    board = Board()
    report, refuse, off = (
        CatalogSync(
            opened,
            source,
            KNOWN,
            check=CodeOwnersCheck(OwnershipMode(mode), CodeOwnersDialect.GITHUB),
            reporter=board,
        )
        for mode in ("report", "refuse", "off")
    )
    for _ in range(2):
        assert (await report.run()).refused == ()
        kept = [(one["file"], one["rule"]) for one in (await status(opened)).ownership]
        assert kept == [
            ("CODEOWNERS", "code-owners-line"),
            *((f"tools/tool-{one}-{one}.yaml", "owner-not-code-owner") for one in "abc"),
        ]
    # What is made up for later says all of it, though nothing was judged again.
    assert len((await report.check_listing(await source.listing(ListingContext()))).findings) == 4
    assert len((await refuse.run()).refused) == 3
    assert len((await status(opened)).ownership) == 1
    await off.run()
    assert (await status(opened)).ownership == []


class Board:
    """Takes what is reported."""

    def __init__(self) -> None:
        self.verdicts: list[Verdict] = []

    async def report(self, verdict: Verdict) -> None:
        self.verdicts.append(verdict)


async def test_each_revision_is_reported_once_with_all_findings(
    opened: Database, source: Repository
) -> None:
    board = Board()
    sync = CatalogSync(opened, source, KNOWN, reporter=board)
    source.put(*MANY)
    await sync.run()
    await sync.run()
    source.files["tools/tool-a-a.yaml"] = b"kind: [\n"
    await sync.run()
    source.remove(*MANY)
    await sync.run()
    await sync.run()

    first, second, third = board.verdicts
    assert (first.documents, first.held) == (27, None)
    assert [one.rule for one in second.findings if one.severity is Severity.ERROR] == ["yaml"]
    assert second.commit == replace(first.commit, id=second.revision) if first.commit else None
    assert "24 of 27" in (third.held or "")


async def test_a_notice_of_the_source_stays_for_as_long_as_it_is_told(
    opened: Database, source: Repository
) -> None:
    source.notice = "the branch main demands no review by code owners"
    sync = sync_of(opened, source)
    await sync.run()
    assert (await status(opened)).notice == source.notice
    source.notice = None
    await sync.run()
    assert (await status(opened)).notice is None
