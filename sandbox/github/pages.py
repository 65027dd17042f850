"""The pages for people: repositories, files, commits, pull requests, runs, and the active faults.

They are at the addresses that the API returns.
"""

import difflib
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pao.runtime.model_errors import messages_of
from sandbox.github.base import GitHubApi, timestamp
from sandbox.github.faults import GitHubFault
from sandbox.github.rest_actions import ActionsRoutes
from sandbox.kit.faults import FaultQueue
from sandbox.kit.git import GitEntry
from sandbox.kit.origin import is_foreign
from sandbox.kit.pages import PageRenderer, foreign_form_refusal, read_form, see_other

_TEMPLATES = Path(__file__).parent / "templates"
_SHOWN = 100
_LONGEST = 200_000
_REPOSITORY = "/{owner}/{repo}"
_ENDS = ("success", "failure", "cancelled")


class CommitFileDiff(NamedTuple):
    """One changed file of a commit, and its unified diff as (kind, line)."""

    path: str
    what: str
    lines: list[tuple[str, str]]


class GitHubPages:
    """Serves /, the pages of repositories, and what their forms send."""

    def __init__(
        self, api: GitHubApi, actions: ActionsRoutes, faults: FaultQueue[GitHubFault]
    ) -> None:
        self._api = api
        self._actions = actions
        self._faults = faults
        self._renderer = PageRenderer(_TEMPLATES, product="GitHub", home="Repositories")

    def routes(self) -> list[Route]:
        """Return the routes; the last one answers all other paths."""
        run = f"{_REPOSITORY}/actions/runs/{{id:int}}"
        pull = f"{_REPOSITORY}/pull/{{number:int}}"
        return [
            Route("/", self._index),
            self._renderer.style_route(),
            Route("/page/faults", self._add_fault, methods=["POST"]),
            Route("/page/faults/clear", self._clear_faults, methods=["POST"]),
            Route(_REPOSITORY, self._repository),
            Route(f"{_REPOSITORY}/blob/{{sha}}/{{path:path}}", self._file),
            Route(f"{_REPOSITORY}/commit/{{sha}}", self._commit),
            Route(pull, self._pull),
            Route(f"{pull}/merge", self._merge, methods=["POST"]),
            Route(run, self._run),
            Route(f"{run}/job/{{job:int}}", self._run),
            Route(f"{run}/end", self._end_run, methods=["POST"]),
            Route("/{rest:path}", self._nowhere),
        ]

    async def _index(self, _: Request) -> Response:
        return self._front()

    def _front(self, *, wrong: str = "", status: int = 200) -> Response:
        store = self._api.store
        runs = [self._actions.current_run(run) for run in store.all("run").values()]
        return self._renderer.page(
            "index.html",
            status,
            repositories=[each["full_name"] for each in store.all("repository").values()],
            runs=[(run, timestamp(run["at"])) for run in reversed(runs)][:_SHOWN],
            pulls=[
                (key.rpartition(":")[0], pull) for key, pull in reversed(store.all("pull").items())
            ][:_SHOWN],
            faults=self._faults.all(),
            kinds=self._faults.meanings,
            wrong=wrong,
        )

    async def _repository(self, request: Request) -> Response:
        found = self._repository_of(request)
        if found is None:
            return self._missing(request)
        git, name = self._api.git, found["full_name"]
        refs = git.refs(name)
        branch = request.query_params.get("branch", found["default_branch"])
        sha = refs.get(f"heads/{branch}")
        log = git.log(name, sha) if sha else []
        return self._renderer.page(
            "repository.html",
            name=name,
            branch=branch,
            branches=sorted(ref.removeprefix("heads/") for ref in refs if ref.startswith("heads/")),
            sha=sha,
            files=sorted(git.files(name, log[0][1]["tree"])) if log else [],
            log=log[:_SHOWN],
        )

    async def _file(self, request: Request) -> Response:
        name, sha, path = (
            self._name(request),
            request.path_params["sha"],
            request.path_params["path"],
        )
        commit = self._api.git.commit(name, sha) if name else None
        file = self._api.git.files(name, commit["tree"]).get(path) if commit else None
        if file is None:
            return self._missing(request)
        return self._renderer.page(
            "file.html", name=name, sha=sha, path=path, mode=file.mode, text=self._text(name, file)
        )

    async def _commit(self, request: Request) -> Response:
        name, sha = self._name(request), request.path_params["sha"]
        commit = self._api.git.commit(name, sha) if name else None
        if commit is None:
            return self._missing(request)
        before = next(iter(commit["parents"]), None)
        return self._renderer.page(
            "commit.html",
            name=name,
            sha=sha,
            commit=commit,
            changes=list(self._changes(name, before, sha)),
        )

    async def _pull(self, request: Request) -> Response:
        name = self._name(request)
        pull = self._stored_pull(name, request) if name else None
        if pull is None:
            return self._missing(request)
        sides = (pull["base"]["sha"], pull["head"]["sha"])
        base = self._api.git.merge_base(name, *sides)
        return self._renderer.page(
            "pull.html",
            name=name,
            pull=pull,
            changes=list(self._changes(name, base, pull["head"]["sha"])),
        )

    async def _merge(self, request: Request) -> Response:
        """Mark the pull request as merged, as the stand-in's own API does; no commit is made."""
        if is_foreign(request):
            return foreign_form_refusal()
        name = self._name(request)
        with self._api.store.change():
            pull = self._stored_pull(name, request) if name else None
            if pull is None:
                return self._missing(request)
            merged = {**pull, "state": "closed", "merged_at": timestamp(time.time())}
            self._api.store.put("pull", f"{name.lower()}:{pull['number']:06}", merged)
        return see_other(f"/{name}/pull/{pull['number']}")

    async def _run(self, request: Request) -> Response:
        run = self._stored_run(request)
        if run is None:
            return self._missing(request)
        return self._renderer.page(
            "run.html",
            run=run,
            at=timestamp(run["at"]),
            jobs=self._actions.jobs(request, run),
            ends=_ENDS,
        )

    async def _end_run(self, request: Request) -> Response:
        if is_foreign(request):
            return foreign_form_refusal()
        conclusion = (await read_form(request))["conclusion"]
        with self._api.store.change():
            run = self._stored_run(request)
            if run is None:
                return self._missing(request)
            if run["status"] != "completed" and conclusion in _ENDS:
                run |= {"status": "completed", "conclusion": conclusion}
                self._api.store.put("run", f"{run['id']:09}", run)
        return see_other(f"/{run['repository']}/actions/runs/{run['id']}")

    async def _add_fault(self, request: Request) -> Response:
        if is_foreign(request):
            return foreign_form_refusal()
        form = await read_form(request)
        given = {name: form[name] for name in ("method", "seconds", "status") if form[name]}
        document = {"kind": form["kind"], "path": form["path"], "times": form["times"] or None}
        try:
            self._faults.add(self._faults.read({**document, **given}))
        except ValidationError as exc:
            return self._front(wrong="; ".join(messages_of(exc)), status=422)
        return see_other("/#faults")

    async def _clear_faults(self, request: Request) -> Response:
        if is_foreign(request):
            return foreign_form_refusal()
        self._faults.clear()
        return see_other("/#faults")

    async def _nowhere(self, request: Request) -> Response:
        return self._missing(request)

    def _missing(self, request: Request) -> Response:
        if request.url.path.startswith(("/repos/", "/app/", "/api/")):
            return JSONResponse({"message": "Not Found", "status": "404"}, 404)
        return self._renderer.page("missing.html", 404, path=request.url.path)

    def _repository_of(self, request: Request) -> dict[str, Any] | None:
        named = f"{request.path_params['owner']}/{request.path_params['repo']}"
        found: dict[str, Any] | None = self._api.store.get("repository", named.lower())
        return found

    def _name(self, request: Request) -> str:
        found = self._repository_of(request)
        return str(found["full_name"]) if found else ""

    def _stored_pull(self, name: str, request: Request) -> dict[str, Any] | None:
        key = f"{name.lower()}:{request.path_params['number']:06}"
        found: dict[str, Any] | None = self._api.store.get("pull", key)
        return found

    def _stored_run(self, request: Request) -> dict[str, Any] | None:
        run = self._api.store.get("run", f"{request.path_params['id']:09}")
        if run is None or run["repository"] != self._name(request):
            return None
        return self._actions.current_run(run)

    def _changes(self, name: str, before: str | None, after: str) -> Iterator[CommitFileDiff]:
        old, new = self._files(name, before), self._files(name, after)
        for path in sorted(old.keys() | new.keys()):
            if old.get(path) == new.get(path):
                continue
            what = "added" if path not in old else "removed" if path not in new else "changed"
            before_text, after_text = (
                self._text(name, files[path]).splitlines() if path in files else []
                for files in (old, new)
            )
            diff = list(difflib.unified_diff(before_text, after_text, lineterm=""))[2:]
            yield CommitFileDiff(
                path, what, [(_LINE_KINDS.get(line[:1], ""), line) for line in diff]
            )

    def _files(self, name: str, sha: str | None) -> Mapping[str, GitEntry]:
        commit = self._api.git.commit(name, sha) if sha else None
        return self._api.git.files(name, commit["tree"]) if commit else {}

    def _text(self, name: str, file: GitEntry) -> str:
        content = self._api.git.blob(name, file.sha) or b""
        if b"\0" in content:
            return f"(binary, {len(content):,} bytes)"
        return content[:_LONGEST].decode(errors="replace")


_LINE_KINDS = {"+": "added", "-": "removed", "@": "place"}
