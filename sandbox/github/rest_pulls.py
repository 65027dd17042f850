"""Pull requests and those who are asked to review them."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.github.base import GitHubApi, GitHubResponseError, now, page, read_object, user
from sandbox.github.events import repository_shape
from sandbox.kit.git import GitEntry

_ROOT = "/repos/{owner}/{repo}/pulls"
_KNOWN = frozenset(
    {"title", "head", "head_repo", "base", "body", "maintainer_can_modify", "draft", "issue"}
)


class PullRoutes:
    """Serves /repos/{owner}/{repo}/pulls."""

    def __init__(self, api: GitHubApi) -> None:
        self._api = api

    def routes(self) -> list[Route]:
        """Return the routes."""
        reviewers = f"{_ROOT}/{{number:int}}/requested_reviewers"
        return [
            self._api.route(_ROOT, self._list),
            self._api.route(_ROOT, self._create, "POST"),
            self._api.route(f"{_ROOT}/{{number:int}}", self._read),
            self._api.route(f"{_ROOT}/{{number:int}}/files", self._files),
            self._api.route(reviewers, self._review, "POST"),
            self._api.route(reviewers, self._reviewers),
        ]

    async def _list(self, request: Request) -> Response:
        name = self._api.repository(request)
        asked = request.query_params
        found = [
            pull
            for pull in reversed(self._pulls_of(name))
            if asked.get("state", "open") in {"all", pull["state"]}
            and asked.get("head", pull["head"]["label"]) == pull["head"]["label"]
            and asked.get("base", pull["base"]["ref"]) == pull["base"]["ref"]
        ]
        return JSONResponse(page(request, found))

    async def _create(self, request: Request) -> Response:
        name = self._api.repository(request)
        given = await read_object(request, _KNOWN)
        with self._api.store.change():
            pull = self._pull(request, name, given)
            self._api.store.put("pull", f"{name.lower()}:{pull['number']:06}", pull)
        self._api.notify_pull_request(name, pull, "opened")
        return JSONResponse(pull, 201)

    async def _read(self, request: Request) -> Response:
        name = self._api.repository(request)
        return JSONResponse(self._stored_pull(name, request.path_params["number"])[1])

    async def _files(self, request: Request) -> Response:
        name = self._api.repository(request)
        git = self._api.git
        _, pull = self._stored_pull(name, request.path_params["number"])
        sides = [git.commit(name, pull[side]["sha"]) or {} for side in ("base", "head")]
        old, new = (git.files(name, side["tree"]) for side in sides)
        changed = sorted(path for path in old.keys() | new.keys() if old.get(path) != new.get(path))
        found = [_change(path, old.get(path), new.get(path)) for path in changed]
        return JSONResponse(page(request, found))

    def _pull(self, request: Request, name: str, given: dict[str, Any]) -> dict[str, Any]:
        git, owner = self._api.git, name.partition("/")[0]
        head, base = str(given.get("head")).rpartition(":")[2], str(given.get("base"))
        tips = {ref: git.ref(name, f"heads/{ref}") for ref in (head, base)}
        for field, ref in (("head", head), ("base", base)):
            if tips[ref] is None:
                raise _invalid({"field": field, "code": "invalid"})
        if tips[head] in [sha for sha, _ in git.log(name, tips[base] or "")]:
            raise _invalid({"code": "custom", "message": f"No commits between {base} and {head}"})
        label = f"{owner}:{head}"
        for pull in self._pulls_of(name):
            if (pull["head"]["label"], pull["base"]["ref"], pull["state"]) == (label, base, "open"):
                text = f"A pull request already exists for {label}."
                raise _invalid({"code": "custom", "message": text})
        number = self._api.store.next_number(f"pull:{name.lower()}")
        repository = repository_shape(self._api.store.get("repository", name.lower()))
        return {
            "number": number,
            "id": 7000 + number,
            "state": "open",
            "title": given.get("title"),
            "body": given.get("body"),
            "user": user(self._api.settings.login),
            "url": self._api.api_url(request, f"/repos/{name}/pulls/{number}"),
            "html_url": self._api.page_url(request, f"/{name}/pull/{number}"),
            "head": {"label": label, "ref": head, "sha": tips[head], "repo": repository},
            "base": {
                "label": f"{owner}:{base}",
                "ref": base,
                "sha": tips[base],
                "repo": repository,
            },
            "draft": bool(given.get("draft")),
            "merged_at": None,
            "created_at": now(),
            "requested_reviewers": [],
            "requested_teams": [],
        }

    async def _review(self, request: Request) -> Response:
        name = self._api.repository(request)
        given = await read_object(request, frozenset({"reviewers", "team_reviewers"}))
        settings = self._api.settings
        with self._api.store.change():
            key, pull = self._stored_pull(name, request.path_params["number"])
            for login in given.get("reviewers") or []:
                if login == pull["user"]["login"]:
                    raise GitHubResponseError(
                        422, "Review cannot be requested from pull request author."
                    )
                if login not in settings.users:
                    raise GitHubResponseError(
                        422,
                        "Reviews may only be requested from collaborators. One or more of the "
                        f"users or teams you specified is not a collaborator of the {name} "
                        "repository.",
                    )
            if any(team not in settings.teams for team in given.get("team_reviewers") or []):
                raise GitHubResponseError(
                    422, "Could not resolve to a node with the global id of 'team'."
                )
            _add(pull["requested_reviewers"], "login", given.get("reviewers") or [])
            _add(pull["requested_teams"], "slug", given.get("team_reviewers") or [])
            self._api.store.put("pull", key, pull)
        return JSONResponse(pull, 201)

    async def _reviewers(self, request: Request) -> Response:
        _, pull = self._stored_pull(self._api.repository(request), request.path_params["number"])
        return JSONResponse(
            {"users": pull["requested_reviewers"], "teams": pull["requested_teams"]}
        )

    def _stored_pull(self, name: str, number: int) -> tuple[str, dict[str, Any]]:
        key = f"{name.lower()}:{number:06}"
        pull = self._api.store.get("pull", key)
        if pull is None:
            raise GitHubResponseError(404, "Not Found")
        return key, pull

    def _pulls_of(self, name: str) -> list[dict[str, Any]]:
        found = self._api.store.all("pull")
        return [pull for key, pull in found.items() if key.startswith(f"{name.lower()}:")]


def _add(reviewers: list[dict[str, Any]], key: str, names: list[str]) -> None:
    known = {entry[key] for entry in reviewers}
    reviewers += [
        {**(user(name) if key == "login" else {"name": name}), key: name}
        for name in names
        if name not in known
    ]


def _change(path: str, old: GitEntry | None, new: GitEntry | None) -> dict[str, Any]:
    status = "added" if old is None else "removed" if new is None else "modified"
    return {
        "sha": new.sha if new else None,
        "filename": path,
        "status": status,
        "additions": 0,
        "deletions": 0,
        "changes": 0,
        "blob_url": "",
        "raw_url": "",
        "contents_url": "",
    }


def _invalid(error: dict[str, Any]) -> GitHubResponseError:
    return GitHubResponseError(422, "Validation Failed", [{"resource": "PullRequest", **error}])
