"""What a pull or merge request is judged as: the catalog that would be there once it was merged."""

from collections.abc import Iterable, Mapping

import pytest

from catalog.model import CatalogDocument
from catalog.sources.source import SourceRefusedError, SourceUnavailableError
from catalog.validation import Finding
from db.session import Database
from pao.app.catalog_sync import CatalogSync
from pao.app.catalog_sync.proposals import MAX_COMPARISONS, Proposals
from pao.core.payloads.catalog import CatalogProposal
from tests.pao.app.test_catalog_sources import KNOWN, MANY
from tests.support.catalog_source import Forge, Repository

FORK, HEAD = "f" * 40, "d" * 40
OLD = MANY[:5]


@pytest.fixture
async def forge(opened: Database) -> Forge:
    """A branch that has grown from five items to 24 since a proposal left it."""
    made = Forge()
    made.put(*MANY)
    await CatalogSync(opened, made, KNOWN).run()
    made.fork = FORK
    made.commit(FORK, *OLD)
    return made


async def judged(opened: Database, forge: Forge, sync: CatalogSync | None = None) -> str:
    sync = sync or CatalogSync(opened, forge, KNOWN)
    return await Proposals(sync, forge, forge).check(CatalogProposal(12, HEAD))


async def test_a_proposal_from_long_ago_removes_nothing_that_came_since(
    opened: Database, forge: Forge
) -> None:
    forge.commit(HEAD, *OLD, "tool-new-a")
    assert await judged(opened, forge) == "valid"
    [verdict] = forge.verdicts
    assert (verdict.documents, verdict.held, verdict.findings) == (25, None, ())


async def test_what_a_proposal_itself_removes_is_counted(opened: Database, forge: Forge) -> None:
    forge.commit(FORK, *MANY[:20])
    forge.commit(HEAD, *MANY[:7])
    assert await judged(opened, forge) == "refused"
    [verdict] = forge.verdicts
    assert "13 of 24 items" in str(verdict.held)
    assert verdict.documents == 11


async def test_a_file_that_both_sides_changed_is_taken_as_proposed(
    opened: Database, forge: Forge
) -> None:
    forge.put(OLD[0], version="1.1.0")
    forge.put(OLD[1], version="soon")
    await CatalogSync(opened, forge, KNOWN).run()
    forge.commit(HEAD, *OLD).put(OLD[0], version="later")
    assert await judged(opened, forge) == "refused"
    # Of the file that is bad on the branch, the proposal is told as well.
    files = {finding.file for finding in forge.verdicts[0].findings}
    assert files == {f"tools/{OLD[0]}.yaml", f"tools/{OLD[1]}.yaml"}


async def test_a_proposal_that_is_not_about_the_catalog_is_none_however_old_it_is(
    opened: Database, forge: Forge
) -> None:
    forge.commit(HEAD, *OLD)
    assert await judged(opened, forge) == "untouched"
    # The folder is younger than both.
    forge.commits = {FORK: None, HEAD: None}
    assert await judged(opened, forge) == "untouched"
    assert forge.told == [(f"untouched {HEAD}", False)] * 2


async def test_a_folder_that_is_younger_than_where_a_proposal_left_is_no_removal(
    opened: Database, forge: Forge
) -> None:
    forge.commits[FORK] = None
    forge.commit(HEAD, "tool-new-a")
    assert await judged(opened, forge) == "valid"
    assert forge.verdicts[0].documents == 25


@pytest.mark.parametrize("fork", [FORK, None])
async def test_a_proposal_without_the_folder_would_leave_nothing(
    opened: Database, forge: Forge, fork: str | None
) -> None:
    forge.fork = fork
    forge.commit(FORK, *MANY)
    forge.commits[HEAD] = None
    assert await judged(opened, forge) == "refused"
    assert forge.verdicts[0].emptied


@pytest.mark.parametrize("fork", [None, HEAD, "of the branch"])
async def test_where_a_proposal_did_not_leave_long_ago_or_nobody_knows_its_head_is_judged(
    opened: Database, forge: Forge, fork: str | None
) -> None:
    forge.fork = forge.revision if fork == "of the branch" else fork
    forge.commit(HEAD, *OLD)
    calls = len(forge.commits[FORK].calls)  # type: ignore[union-attr]  # made above
    assert await judged(opened, forge) == "refused"
    assert "19 of 24 items" in str(forge.verdicts[0].held)
    assert len(forge.commits[FORK].calls) == calls  # type: ignore[union-attr]  # made above


async def test_a_forge_that_cannot_compare_has_the_head_judged_in_the_end(
    opened: Database, forge: Forge
) -> None:
    forge.fork_away = SourceUnavailableError("GitHub could not compare (HTTP 500)")
    forge.commit(HEAD, *OLD)
    proposals = Proposals(CatalogSync(opened, forge, KNOWN), forge, forge)
    with pytest.raises(SourceUnavailableError):
        await proposals.check(CatalogProposal(12, HEAD), attempt=MAX_COMPARISONS - 1)
    assert await proposals.check(CatalogProposal(12, HEAD), attempt=MAX_COMPARISONS) == "refused"
    # Whoever may not ask is told so until somebody corrects it.
    forge.fork_away = SourceRefusedError("GitHub rejected our credentials")
    with pytest.raises(SourceRefusedError):
        await proposals.check(CatalogProposal(12, HEAD), attempt=MAX_COMPARISONS + 1)


class Noting:
    """A check that notes by what it judges."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []

    def identity(self, beside: Mapping[str, bytes]) -> str:
        return repr(beside)

    def findings(
        self, _path: str, _document: CatalogDocument, beside: Mapping[str, bytes]
    ) -> Iterable[Finding]:
        self.seen.append(beside.get("CODEOWNERS", b""))
        return ()

    def own_findings(self, _beside: Mapping[str, bytes]) -> Iterable[Finding]:
        return ()


@pytest.mark.parametrize(("proposed", "expected"), [(b"old", b"new"), (b"mine", b"mine")])
async def test_owners_are_those_of_the_branch_unless_the_proposal_changes_them(
    opened: Database, forge: Forge, proposed: bytes, expected: bytes
) -> None:
    check = Noting()
    sync = CatalogSync(opened, forge, KNOWN, check=check)
    forge.beside["CODEOWNERS"] = b"new"
    await sync.run()
    _owned(forge.commits[FORK], b"old")
    _owned(forge.commit(HEAD, *OLD, "tool-new-a"), proposed)
    check.seen.clear()
    assert await judged(opened, forge, sync) == "valid"
    assert set(check.seen) == {expected}


def _owned(commit: Repository | None, owners: bytes) -> None:
    assert commit is not None
    commit.beside["CODEOWNERS"] = owners
