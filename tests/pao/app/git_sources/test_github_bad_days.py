"""What GitHub does on bad days, as errors of a source: the caller keeps what it has."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from catalog.sources.source import (
    Listing,
    ListingContext,
    SourceGoneError,
    SourceLimitedError,
    SourceMovedError,
    SourceRefusedError,
    SourceUnavailableError,
)
from pao.app.git_sources.branch_rules import BranchUnprotectedError
from pao.clients.github import TokenAuth
from tests.pao.app.git_sources.conftest import REPOSITORY, Open
from tests.support.git_sources import items
from tests.support.github import GitHubSandbox
from tests.support.github_keys import app_auth

MAIN = {"repository": REPOSITORY, "ref": "heads/main"}


def push(github: GitHubSandbox, **more: object) -> str:
    return str(github.tell("pushes", **{"repository": REPOSITORY, **more})["sha"])


@pytest.mark.parametrize(
    ("what", "given", "told"),
    [
        (
            "repositories",
            {"name": REPOSITORY, "moved": "acme/services"},
            (SourceGoneError, "renamed or moved .* Correct CATALOG_REPOSITORY"),
        ),
        (
            "repositories",
            {"name": REPOSITORY, "moved": None},
            (SourceGoneError, "may not see it.* Correct CATALOG_REPOSITORY"),
        ),
        ("refs", {"repository": REPOSITORY}, (SourceGoneError, "is empty")),
        ("refs", MAIN, (SourceGoneError, "is empty")),
        ("rate", {"remaining": 0, "seconds": 60}, (SourceLimitedError, "rate limit")),
    ],
)
async def test_a_source_that_is_gone_says_why(
    github: GitHubSandbox, opened: Open, what: str, given: dict[str, Any], told: tuple[Any, str]
) -> None:
    reader = opened()
    await reader.read()
    github.tell(what, **given)
    with pytest.raises(told[0], match=told[1]):
        await reader.read()


async def test_a_branch_that_was_deleted_is_gone_until_it_is_back(
    github: GitHubSandbox, opened: Open
) -> None:
    sha = push(github, branch="live", files={"catalog/a.yaml": "a: 1\n"})
    reader = opened(branch="live")
    await reader.read()
    github.tell("refs", repository=REPOSITORY, ref="heads/live")
    with pytest.raises(SourceGoneError, match=r"no branch live \(its default branch is main\)"):
        await reader.read()
    github.tell("refs", repository=REPOSITORY, ref="heads/live", sha=sha)
    assert (await reader.read()).revision == sha


async def test_a_folder_that_is_not_there_is_told_by_its_name(
    github: GitHubSandbox, opened: Open
) -> None:
    push(github, files={"catalog/database/a.yaml": None})
    with pytest.raises(SourceGoneError, match="no folder catalog on the branch main"):
        await opened().read()


async def test_credentials_without_a_right_are_refused_and_never_shown(
    github: GitHubSandbox, opened: Open
) -> None:
    bad = TokenAuth(SecretStr("ghp_revokedToken00000000000000000000"))
    with pytest.raises(SourceRefusedError, match="rejected our credentials") as refused:
        await opened(auth=bad).read()
    assert "ghp_revoked" not in str(refused.value)
    github.fault("status", path="/git/ref/", status=403, message="Not accessible by ghp_x")
    with pytest.raises(SourceRefusedError, match="has no right"):
        await opened().read()


async def test_a_secondary_limit_says_when_it_ends(github: GitHubSandbox, opened: Open) -> None:
    github.fault("secondary-limit", path="/git/ref/", retry_after="3600")
    with pytest.raises(SourceLimitedError) as told:
        await opened().read()
    assert told.value.until is not None
    left = told.value.until - datetime.now(UTC)
    assert timedelta(minutes=50) < left <= timedelta(hours=1)


async def test_an_app_that_is_suspended_or_not_installed_is_told(
    github: GitHubSandbox, opened: Open
) -> None:
    suspended = "This installation has been suspended"
    github.fault("status", path="/access_tokens$", status=403, message=suspended)
    with pytest.raises(SourceRefusedError, match=f"{suspended}.* must grant it"):
        await opened(auth=app_auth()).read()
    github.fault("status", path="/installation$", status=404, message="Not Found")
    with pytest.raises(SourceGoneError, match="App is not installed for acme/catalog"):
        await opened(auth=app_auth()).read()


async def test_a_token_in_an_answer_is_masked(github: GitHubSandbox, opened: Open) -> None:
    token = github.settings.token
    github.fault("status", path="/git/ref/", status=500, message=f"Trouble with {token}")
    with pytest.raises(SourceUnavailableError) as told:
        await opened().read()
    assert token not in str(told.value)
    assert "Trouble with ********" in str(told.value)


@pytest.mark.parametrize("kind", ["garbage", "html", "cut-before", "huge", "drip", "status"])
@pytest.mark.parametrize("path", ["/git/ref/", "/git/commits/", "/git/trees/"])
async def test_no_broken_answer_becomes_a_catalog(
    github: GitHubSandbox, opened: Open, path: str, kind: str
) -> None:
    github.fault(kind, path=path, status=502 if kind == "status" else 500, seconds=5)
    hasty, reader = opened(seconds=0.5), opened()
    try:
        await hasty.read()
    except SourceUnavailableError:
        assert hasty.revision is None
    else:
        assert hasty.texts() == {"database/a.yaml": "a: 1\n"}
    github.clear_faults()
    await reader.read()
    assert reader.texts() == {"database/a.yaml": "a: 1\n"}


@pytest.mark.parametrize("kind", ["garbage", "html", "cut-after", "huge", "status"])
async def test_no_broken_file_becomes_a_document(
    github: GitHubSandbox, opened: Open, kind: str
) -> None:
    github.fault(kind, path="/git/blobs/")
    reader = opened()
    with pytest.raises(SourceUnavailableError):
        await reader.read()
    assert not reader.stored
    await reader.read()
    assert reader.texts() == {"database/a.yaml": "a: 1\n"}


async def test_another_content_than_listed_is_never_taken(
    github: GitHubSandbox, opened: Open
) -> None:
    github.fault("html", path="/git/blobs/")
    with pytest.raises(SourceMovedError, match="other content"):
        await opened().read()


async def test_a_listing_in_part_is_no_listing(github: GitHubSandbox, opened: Open) -> None:
    push(github, files=items(3001))
    with pytest.raises(SourceUnavailableError, match="a part of it only"):
        await opened().read()


async def test_a_branch_without_reviews_by_code_owners_is_told(
    github: GitHubSandbox, opened: Open
) -> None:
    push(github, files={"CODEOWNERS": "* @acme/team-database\n"})
    reader = opened(ownership="report")
    assert "no code owner has approved" in str((await reader.read()).notice)
    rule = {"require_code_owner_review": True}
    github.tell("protections", repository=REPOSITORY, rule=rule)
    # Asked by polls and for people who wait; in between the last answer counts.
    assert (await reader.read()).notice is not None
    assert (await reader.read(is_poll=True)).notice is None
    github.tell("protections", repository=REPOSITORY, rule=None)
    assert (await reader.read()).notice is None
    known = ListingContext(reader.revision, reader.memory, is_asked=True)
    assert (await reader.source.listing(known)).notice is not None


async def test_nothing_new_is_taken_over_from_a_branch_without_reviews(
    github: GitHubSandbox, opened: Open
) -> None:
    rule = {"require_code_owner_review": True}
    github.tell("protections", repository=REPOSITORY, rule=rule)
    reader = opened(ownership="refuse")
    await reader.read()
    github.tell("protections", repository=REPOSITORY, rule={"require_code_owner_review": False})
    assert "require reviews" in str((await reader.read(is_poll=True)).notice)
    push(github, files={"catalog/b.yaml": "b: 1\n"})
    with pytest.raises(BranchUnprotectedError, match="nothing new is taken over"):
        await reader.read()
    github.tell("protections", repository=REPOSITORY, rule=rule)
    await reader.read()
    assert "b.yaml" in reader.texts()


@pytest.mark.parametrize(
    ("status", "message"),
    [(403, "Upgrade to GitHub Pro or make this repository public"), (404, "Not Found")],
)
async def test_rules_that_nobody_tells_us_keep_only_new_things_out(
    github: GitHubSandbox, opened: Open, status: int, message: str
) -> None:
    github.fault("status", path="/rules/branches/", status=status, message=message, times=9)
    reader = opened(ownership="report")
    assert "may not read the rules" in str((await reader.read()).notice)
    assert reader.texts() == {"database/a.yaml": "a: 1\n"}
    with pytest.raises(BranchUnprotectedError, match="may not read the rules"):
        await opened(ownership="refuse").read()


@pytest.mark.parametrize("place", [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"])
async def test_owners_are_read_of_the_very_commit_wherever_they_are(
    github: GitHubSandbox, opened: Open, place: str
) -> None:
    rule = {"require_code_owner_review": True}
    github.tell("protections", repository=REPOSITORY, rule=rule)
    push(github, files={place: "* @acme/a\n"})
    reader = opened(ownership="report")
    await reader.read()
    assert reader.stored[reader.beside[place].blob] == b"* @acme/a\n"

    # Elsewhere in the same folder nothing is asked again; a change of the file is a new listing.
    push(github, files={"x.md": "x"})
    calls = len(github.calls())
    assert not isinstance(await reader.read(), Listing)
    assert len(github.calls()) - calls == 4
    push(github, files={place: "* @acme/a\n* nobody\n"})
    found = await reader.read()
    assert isinstance(found, Listing)
    assert f"{place}:2: Invalid owner" in str(found.notice)
    push(github, files={place: None})
    assert isinstance(await reader.read(), Listing)
    assert not reader.beside


async def test_owners_may_be_longer_than_a_document(github: GitHubSandbox, opened: Open) -> None:
    owners = "# who\n" * 300_000 + "* @acme/a\n"
    push(github, files={"CODEOWNERS": owners})
    reader = opened(ownership="report")
    await reader.read()
    assert reader.stored[reader.beside["CODEOWNERS"].blob] == owners.encode()


async def test_the_first_place_of_owners_wins(github: GitHubSandbox, opened: Open) -> None:
    push(github, files={"CODEOWNERS": "", "docs/CODEOWNERS": "", ".github/CODEOWNERS": "#"})
    reader = opened(ownership="report")
    await reader.read()
    assert list(reader.beside) == [".github/CODEOWNERS"]
