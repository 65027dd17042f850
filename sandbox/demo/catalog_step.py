"""The demo's step about the catalog: a push, a bad file, and a proposal that is checked."""

import re
import time
from pathlib import Path
from typing import Any

import httpx

from pao.app.local.github_catalog import FOLDER, REPOSITORY
from pao.app.local.stack import sample_catalog
from sandbox.demo.clients import POLL_SECONDS, SETTLING_SECONDS
from sandbox.demo.steps import DemoRun
from sandbox.github.settings import TOKEN

ITEM = "network-dns-record"
_VERSION = re.compile(r"^(\s*version:\s*).*$", re.MULTILINE)


class GitHubStandIn:
    """The GitHub stand-in as the authors of the catalog see it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {TOKEN}"},
            timeout=10.0,
            trust_env=False,
        )

    def push(self, path: str, content: str, **more: str) -> str:
        """Commit one file; returns the commit."""
        given = {"repository": REPOSITORY, "files": {path: content}, **more}
        answer = self._client.post("/sandbox/pushes", json=given).raise_for_status()
        return str(answer.json()["sha"])

    def propose(self, branch: str, title: str) -> str:
        """Open a pull request; returns its address."""
        body = {"title": title, "head": branch, "base": "main"}
        answer = self._client.post(f"/repos/{REPOSITORY}/pulls", json=body).raise_for_status()
        return str(answer.json()["html_url"])

    def check(self, commit: str) -> dict[str, Any]:
        """Return the check run at a commit with its annotations, once there is one."""
        deadline = time.monotonic() + SETTLING_SECONDS
        path = f"/repos/{REPOSITORY}/commits/{commit}/check-runs"
        while not (runs := self._client.get(path).json().get("check_runs")):
            if time.monotonic() > deadline:
                return {}
            time.sleep(POLL_SECONDS)
        run = dict(runs[0])
        found = self._client.get(f"/repos/{REPOSITORY}/check-runs/{run['id']}/annotations")
        return run | {"annotations": found.json()}

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def a_catalog_in_git(demo: DemoRun, github: GitHubStandIn) -> None:
    """Show a push that changes an item, a bad file that does not, and the check of a proposal."""
    about = (
        "The catalog is a repository. A push changes an item; a bad file keeps its last good "
        "version and is annotated at its line; a pull request is checked before it is merged."
    )
    source = _file()
    path, good = f"{FOLDER}/{source.parent.name}/{source.name}", source.read_text(encoding="utf-8")
    version = f"1.{int(time.time()) % 100_000}.0"
    with demo.output.step("A push changes the catalog, and a bad file does not", about):
        demo.output.note(f"git push  {path}  version: {version}")
        changed = _VERSION.sub(rf"\g<1>{version}", good, count=1)
        _show(demo, github.check(github.push(path, changed, message="Raise the version")))
        demo.output.check(
            "The new version is served", expected=version, actual=_served_version(demo)
        )

        demo.output.note(f"git push  {path}  version: soon")
        bad = _VERSION.sub(r"\g<1>soon", good, count=1)
        run = github.check(github.push(path, bad, message="Promise too much"))
        _show(demo, run)
        line = bad.splitlines().index(next(one for one in bad.splitlines() if "soon" in one)) + 1
        demo.output.check(
            f"The commit is annotated at line {line}, and the last good version stays in service",
            expected=[(path, line), version],
            actual=[_location(run), _served_version(demo)],
        )
        fixed = github.push(path, changed, message="Take it back")
        github.check(fixed)

        demo.output.note("git push  topic, and a pull request into main")
        head = github.push(path, bad, branch=f"topic-{version}", parent=fixed, message="Try again")
        demo.output.link("address", github.propose(f"topic-{version}", "Try again"))
        run = github.check(head)
        _show(demo, run)
        demo.output.check(
            "The pull request is refused before anybody merges it",
            expected=("failure", (path, line)),
            actual=(run.get("conclusion"), _location(run)),
        )


def _file() -> Path:
    return next(sample_catalog().rglob(f"{ITEM}.yaml"))


def _served_version(demo: DemoRun) -> object:
    return demo.pao.get(f"/catalog/items/{ITEM}").document.get("version")


def _show(demo: DemoRun, run: dict[str, Any]) -> None:
    title = (run.get("output") or {}).get("title")
    demo.output.fact("check", f"{run.get('name')}: {run.get('conclusion')}, {title}")
    for one in run.get("annotations") or ():
        if one["annotation_level"] == "failure":
            location = f"{one['path']}:{one['start_line']}"
            demo.output.fact("at", f"{location} {one['message'].splitlines()[0]}")


def _location(run: dict[str, Any]) -> object:
    found = [one for one in run.get("annotations") or () if one["annotation_level"] == "failure"]
    return (found[0]["path"], found[0]["start_line"]) if found else None
