"""What the authors of a catalog on GitHub are told: check runs by an App, statuses by a token."""

import json
from dataclasses import replace

import httpx
import pytest

from catalog.sources.source import (
    Listing,
    ListingContext,
    SourceRefusedError,
    SourceUnavailableError,
    Unchanged,
)
from catalog.sources.verdict import CHECK, Verdict
from catalog.validation import Finding, Severity
from pao.app.git_sources.github import GitHubSource
from pao.app.git_sources.github_reports import MAX_ANNOTATED, GitHubReporter
from pao.app.git_sources.report_texts import MAX_SUMMARY, report_of, untouched_report
from tests.pao.app.git_sources.conftest import REPOSITORY, Open
from tests.support.github import GitHubSandbox
from tests.support.github_keys import app_auth

LINK = "https://pao.example.com/platform"


def finding(number: int = 1, severity: Severity = Severity.ERROR, **more: str) -> Finding:
    return Finding(
        file=more.get("file", "database/a.yaml"),
        line=number,
        column=3,
        path="$",
        rule=more.get("rule", "version"),
        severity=severity,
        message="this is no version",
        hint="write 1.0.0",
    )


def verdict(github: GitHubSandbox, *findings: Finding, held: str | None = None) -> Verdict:
    sha = github.branch(REPOSITORY)["sha"]
    return Verdict(sha, findings, 12, held=held)


def reporter(opened: Open, *, app: bool = True) -> GitHubReporter:
    source = opened(auth=app_auth() if app else None).source
    assert isinstance(source, GitHubSource)
    return GitHubReporter(source, details=LINK)


def ask(github: GitHubSandbox, path: str) -> list[dict[str, object]]:
    answer = httpx.get(
        f"{github.api_url}/repos/{REPOSITORY}{path}",
        params={"per_page": 100},
        headers={"Authorization": f"Bearer {github.settings.token}"},
        trust_env=False,
    )
    found = answer.raise_for_status().json()
    return list(found if isinstance(found, list) else found["check_runs"])


async def test_a_bad_file_is_annotated_at_its_line(github: GitHubSandbox, opened: Open) -> None:
    told = verdict(
        github,
        finding(7),
        finding(2, Severity.WARNING),
        finding(4, Severity.WARNING, file="CODEOWNERS", rule="code-owners-line"),
    )
    await reporter(opened).report(told)
    (run,) = ask(github, f"/commits/{told.revision}/check-runs")
    assert (run["name"], run["status"], run["conclusion"]) == (CHECK, "completed", "failure")
    assert run["details_url"] == LINK
    output = json.loads(json.dumps(run["output"]))
    assert output["title"] == "1 file of 12 documents refused: 1 error"
    assert "`catalog/database/a.yaml:7:3` this is no version" in output["summary"]
    annotations = ask(github, f"/check-runs/{run['id']}/annotations")
    assert [(one["path"], one["start_line"], one["annotation_level"]) for one in annotations] == [
        ("catalog/database/a.yaml", 7, "failure"),
        ("CODEOWNERS", 4, "warning"),
        ("catalog/database/a.yaml", 2, "warning"),
    ]
    assert annotations[0]["start_column"] == 3
    assert annotations[0]["message"] == "this is no version\nwrite 1.0.0"


async def test_many_findings_come_in_several_calls_and_are_bounded(
    github: GitHubSandbox, opened: Open
) -> None:
    told = verdict(github, *(finding(number) for number in range(1, MAX_ANNOTATED + 101)))
    await reporter(opened).report(told)
    (run,) = ask(github, f"/commits/{told.revision}/check-runs")
    output = json.loads(json.dumps(run["output"]))
    assert output["annotations_count"] == MAX_ANNOTATED
    assert "and 400 more" in output["summary"]
    writes = [call["method"] for call in github.calls() if "check-runs" in call["path"]]
    assert writes.count("POST") == 1
    assert writes.count("PATCH") == 9


async def test_a_check_that_was_cut_in_the_middle_is_no_verdict_and_made_anew(
    github: GitHubSandbox, opened: Open
) -> None:
    told = verdict(github, *(finding(number) for number in range(1, 121)))
    github.fault("status", path="/check-runs/", method="PATCH", status=502, times=9)
    with pytest.raises(SourceUnavailableError):
        await reporter(opened).report(told)
    (run,) = ask(github, f"/commits/{told.revision}/check-runs")
    assert (run["status"], run["conclusion"]) == ("in_progress", None)
    github.clear_faults()
    await reporter(opened).report(told)
    (run,) = ask(github, f"/commits/{told.revision}/check-runs")
    assert (run["status"], run["conclusion"]) == ("completed", "failure")
    assert json.loads(json.dumps(run["output"]))["annotations_count"] == 120


async def test_a_commit_is_told_once_and_again_when_the_verdict_differs(
    github: GitHubSandbox, opened: Open
) -> None:
    to = reporter(opened)
    await to.report(verdict(github))
    # So it is by another installation that reads the same repository.
    await reporter(opened).report(verdict(github))
    assert len([call for call in github.calls() if call["path"].endswith("/check-runs")]) == 3
    # A person who asks for it once more gets another one.
    (first,) = ask(github, f"/commits/{github.branch(REPOSITORY)['sha']}/check-runs")
    await to.report(verdict(github), again=True)
    (second,) = ask(github, f"/commits/{github.branch(REPOSITORY)['sha']}/check-runs")
    assert first["id"] != second["id"]
    await to.report(verdict(github, finding()))
    (run,) = ask(github, f"/commits/{github.branch(REPOSITORY)['sha']}/check-runs")
    assert run["conclusion"] == "failure"


@pytest.mark.parametrize(
    ("findings", "held", "conclusion", "state", "title"),
    [
        ((), None, "success", "success", "12 documents valid"),
        (
            (finding(1, Severity.SUGGESTION),),
            None,
            "success",
            "success",
            "12 documents valid, 1 remark",
        ),
        ((finding(),), None, "failure", "failure", "1 file of 12 documents refused: 1 error"),
        ((), "it removes 9 of 12", "action_required", "pending", "Held back"),
    ],
)
async def test_a_verdict_has_a_conclusion(  # noqa: PLR0913, PLR0917 -- one case
    github: GitHubSandbox,
    opened: Open,
    findings: tuple[Finding, ...],
    held: str | None,
    conclusion: str,
    state: str,
    title: str,
) -> None:
    told = verdict(github, *findings, held=held)
    await reporter(opened).report(told)
    (run,) = ask(github, f"/commits/{told.revision}/check-runs")
    assert run["conclusion"] == conclusion
    output = json.loads(json.dumps(run["output"]))
    assert output["title"].startswith(title)
    assert held is None or f"--confirm {told.revision}" in output["summary"]
    await reporter(opened, app=False).report(told)
    (status,) = ask(github, f"/commits/{told.revision}/statuses")
    assert (status["state"], status["context"], status["target_url"]) == (state, CHECK, LINK)
    assert str(status["description"]).startswith(title)


def test_a_summary_holds_whatever_files_are_called_and_is_bounded_in_bytes() -> None:
    odd = report_of(Verdict("c", (finding(file="a`\n# b.yaml"),), 1), "catalog")
    assert "`catalog/a' # b.yaml:1:3` this is no version" in odd.summary()
    many = [finding(number, file="\u5b57" * 200) for number in range(200)]
    long = report_of(Verdict("c", tuple(many), 1), "catalog").summary()
    assert MAX_SUMMARY < len(long.encode()) < 65_535


def test_what_a_finding_quotes_is_no_markdown() -> None:
    quoting = replace(finding(), message="![x](http://x)\n# <b> is no `version` of @ops")
    told = report_of(Verdict("c", (quoting,), 1), "catalog").summary()
    assert not any(markup in told for markup in ("![x]", "\n#", "<b>", " `version`", "@ops"))


async def test_a_status_is_cut_to_what_github_takes(github: GitHubSandbox, opened: Open) -> None:
    told = verdict(github, finding(file="x\n" * 100))
    await reporter(opened, app=False).report(told)
    (status,) = ask(github, f"/commits/{told.revision}/statuses")
    assert len(str(status["description"])) == 140
    assert "\n" not in str(status["description"])


async def test_a_proposal_is_read_at_its_commit_and_told_if_it_is_about_the_catalog(
    github: GitHubSandbox, opened: Open
) -> None:
    reader = opened(auth=app_auth())
    await reader.read()
    source = reader.source
    assert isinstance(source, GitHubSource)
    known = ListingContext(reader.revision, reader.memory)
    change = {"repository": REPOSITORY, "branch": "topic"}
    base = github.branch(REPOSITORY)["sha"]
    sha = github.tell("pushes", **change, parent=base, files={"catalog/b.yaml": "b: 1\n"})["sha"]
    found = await source.at(sha, known)
    assert isinstance(found, Listing)
    assert sorted(entry.path for entry in found.entries) == ["b.yaml", "database/a.yaml"]
    other = github.tell("pushes", **change, parent=base, files={"README.md": "x"})["sha"]
    assert isinstance(await source.at(other, known), Unchanged)
    # The branch moves on, and is still left where it was left.
    await reader.read()
    github.tell("pushes", repository=REPOSITORY, files={"README.md": "moved on"})
    await reader.read()
    assert reader.revision != base
    assert await source.fork_point(other, ListingContext(reader.revision)) == base
    assert await source.fork_point("c" * 40, ListingContext(reader.revision)) is None
    assert await source.fork_point(other, ListingContext()) is None
    await GitHubReporter(source).send(untouched_report(other))
    (run,) = ask(github, f"/commits/{other}/check-runs")
    assert run["conclusion"] == "skipped"


async def test_an_app_without_the_right_to_check_is_told_so(
    github: GitHubSandbox, opened: Open
) -> None:
    github.fault("status", path="/check-runs", method="POST", status=403, message="Not accessible")
    with pytest.raises(SourceRefusedError, match="has no right"):
        await reporter(opened).report(verdict(github))
