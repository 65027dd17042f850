"""What every REST call of the stand-in goes through: credentials, body, shape of errors."""

import hmac
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import jwt
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.github.deliveries import WebhookDeliveries
from sandbox.github.events import check_payload, pull_payload, push_payload
from sandbox.github.rate import LIMIT, RateLimit, with_etag
from sandbox.github.settings import DEFAULT_BRANCH, GitHubSandboxSettings
from sandbox.kit.git import FILE, LINK, Git, GitEntry
from sandbox.kit.store import DocumentStore

Handler = Callable[[Request], Awaitable[Response]]
DOCS = "https://docs.github.com/rest"
VERSION = "2022-11-28"
_LONGEST_JWT = 600
_ARROW = "-> "
_NOT_MODIFIED = 304
_SUBMODULE = "160000"
_MEDIA = {"X-GitHub-Media-Type": "github.v3; format=json"}
_RATE_TEXT = "API rate limit exceeded for user ID 1."


class GitHubResponseError(Exception):
    """An error answer in GitHub's shape."""

    def __init__(self, status: int, message: str, errors: list[Any] | None = None) -> None:
        super().__init__(status)
        body: dict[str, Any] = {"message": message, "documentation_url": DOCS}
        if errors is not None:
            body["errors"] = errors
        self.response = JSONResponse({**body, "status": str(status)}, status)


class GitHubApi:
    """Makes routes of handlers: checks credentials, shapes errors, reports the rate limit."""

    def __init__(self, store: DocumentStore, settings: GitHubSandboxSettings) -> None:
        self.store = store
        self.settings = settings
        self.git = Git(store)
        self.rate = RateLimit()
        self.deliveries = WebhookDeliveries(store)
        self._lags: dict[str, tuple[str, int]] = {}

    def route(
        self, path: str, handler: Handler, method: str = "GET", *, app: bool = False
    ) -> Route:
        """Return a route that wants a token, or with ``app`` the App's own JWT."""
        check = self._check_app if app else self._check_token

        async def serve(request: Request) -> Response:
            try:
                _check_headers(request)
                check(_credential(request))
                self._count_call()
                response = with_etag(request, await handler(request))
            except GitHubResponseError as refusal:
                response = refusal.response
            if response.status_code == _NOT_MODIFIED:
                self.rate.uncount_call()
            response.headers.update(_MEDIA | self.rate.headers())
            return response

        return Route(f"{self.settings.flavour.prefix}{path}", serve, methods=[method])

    def _count_call(self) -> None:
        if not self.rate.count_call():
            raise GitHubResponseError(403, _RATE_TEXT)

    def repository(self, request: Request) -> str:
        """Return the full name of the repository that a call is about."""
        name = f"{request.path_params['owner']}/{request.path_params['repo']}"
        repository = self.store.get("repository", name.lower())
        if repository is None:
            raise self._missing_repository(request, name)
        return str(repository["full_name"])

    def non_empty_repository(self, request: Request) -> str:
        """Return the full name of the repository that a call is about; raises if it is empty."""
        name = self.repository(request)
        if not self.git.refs(name):
            raise GitHubResponseError(409, "Git Repository is empty.")
        return name

    def is_of_app(self, request: Request) -> bool:
        """Return whether a call is made with a token of the App's installation."""
        return self.store.get("token", _credential(request)) is not None

    def api_url(self, request: Request, path: str) -> str:
        """Return the address of something in the API."""
        return f"{_base(request)}{self.settings.flavour.prefix}{path}"

    def page_url(self, request: Request, path: str) -> str:
        """Return the address of something for people."""
        return f"{_base(request)}{path}"

    def add_repository(self, name: str, files: Mapping[str, str]) -> None:
        """Make a repository with one commit; without files it is empty."""
        self.store.put(
            "repository", name.lower(), {"full_name": name, "default_branch": DEFAULT_BRANCH}
        )
        if files:
            self.push(name, DEFAULT_BRANCH, files, message="Begin")

    def change_default_branch(self, name: str, branch: str) -> None:
        """Make another branch of a repository its default."""
        found = self.store.get("repository", name.lower())
        self.store.put("repository", name.lower(), {**found, "default_branch": branch})

    def move_repository(self, name: str, new: str | None) -> None:
        """Rename a repository; the old name redirects to the new one, and None deletes it."""
        self.store.remove("repository", name.lower())
        if new is not None:
            self.store.put("moved", name.lower(), new)

    def _missing_repository(self, request: Request, name: str) -> GitHubResponseError:
        moved = self.store.get("moved", name.lower())
        if moved is None:
            return GitHubResponseError(404, "Not Found")
        refusal = GitHubResponseError(301 if request.method == "GET" else 307, "Moved Permanently")
        refusal.response.headers["Location"] = self.api_url(request, f"/repos/{moved}")
        return refusal

    def reset(self) -> None:
        """Forget everything and make the repositories of the settings."""
        self.rate.set(LIMIT)
        self._lags.clear()
        with self.store.change():
            self.store.reset()
            for name, files in self.settings.seeds.items():
                self.add_repository(name, files)

    def push(  # noqa: PLR0913 -- what a push consists of, each part named
        self,
        name: str,
        branch: str,
        files: Mapping[str, str | None],
        *,
        message: str,
        mode: str = FILE,
        parent: str | None = None,
    ) -> str:
        """Commit to a branch as somebody else would.

        None removes a file, and a content that begins with an arrow makes a symbolic link. With
        another ``parent`` than the tip, history is rewritten.
        """
        with self.store.change():
            parent = parent or self.git.ref(name, f"heads/{branch}")
            before = self.git.commit(name, parent) if parent else None
            tree = self.git.files(name, before["tree"]) if before else {}
            for path, content in files.items():
                if content is None:
                    del tree[path]
                    continue
                link = content.startswith(_ARROW)
                sha = self.git.add_blob(name, content.removeprefix(_ARROW).encode())
                target = content if mode == _SUBMODULE else sha
                tree[path] = GitEntry(LINK if link else mode, target)
            sha = self.git.add_commit(
                name,
                tree=self.git.add_tree(name, tree),
                parents=[parent] if parent else [],
                message=message,
                who=person("ann"),
            )
            self.point(name, f"heads/{branch}", sha)
        return sha

    def point(self, name: str, ref: str, sha: str | None) -> None:
        """Point a reference to a commit, or remove it, and notify the repository's webhook."""
        before = self.git.ref(name, ref)
        if sha is None:
            self.git.unpoint(name, ref)
        else:
            self.git.point(name, ref, sha)
        repository = self.store.get("repository", name.lower())
        if before != sha and repository is not None:
            payload = push_payload(self.git, repository, ref, before=before, after=sha)
            self.deliveries.notify(name, "push", payload)

    def notify_pull_request(self, name: str, pull: dict[str, Any], action: str) -> None:
        """Notify the repository's webhook of an event of a pull request."""
        repository = self.store.get("repository", name.lower())
        self.deliveries.notify(name, "pull_request", pull_payload(repository, pull, action))

    def notify_rerequest(self, name: str, run: dict[str, Any]) -> None:
        """Notify the repository's webhook that a check run is requested again."""
        repository = self.store.get("repository", name.lower())
        self.deliveries.notify(name, "check_run", check_payload(repository, run))

    def lag(self, name: str, ref: str, *, calls: int) -> None:
        """Answer so many calls for a reference with the commit that it points to now."""
        self._lags[f"{name.lower()}:{ref}"] = (self.git.ref(name, ref) or "", calls)

    def replica_ref(self, name: str, ref: str) -> str | None:
        """Return the commit of a reference as a replica sees it, which may lag behind."""
        key = f"{name.lower()}:{ref}"
        old, calls = self._lags.get(key, ("", 0))
        if calls <= 0:
            return self.git.ref(name, ref)
        self._lags[key] = (old, calls - 1)
        return old or None

    def issue_archive(self, name: str, sha: str) -> str:
        """Return a token for one archive."""
        token = secrets.token_hex(12)
        self.store.put("archive", token, [name.lower(), sha])
        return token

    def is_archive_token(self, token: str, name: str, sha: str) -> bool:
        """Return whether a token is for this archive."""
        return bool(self.store.get("archive", token) == [name.lower(), sha])

    def issue_token(self) -> tuple[str, float]:
        """Return an installation token and when it expires, in seconds since 1970."""
        token = f"ghs_{secrets.token_hex(18)}"
        expires = datetime.now(UTC).timestamp() + self.settings.token_seconds
        self.store.put("token", token, expires)
        return token, expires

    def _check_token(self, token: str) -> None:
        if hmac.compare_digest(token.encode(), self.settings.token.encode()):
            return
        expires = self.store.get("token", token)
        if expires is None or expires < datetime.now(UTC).timestamp():
            raise GitHubResponseError(401, "Bad credentials")

    def _check_app(self, token: str) -> None:
        settings = self.settings
        try:
            claims = jwt.decode(
                token,
                settings.app_key or "",
                algorithms=["RS256"],
                issuer=settings.app_id,
                options={"require": ["iat", "exp", "iss"]},
            )
        except (jwt.PyJWTError, ValueError) as error:
            raise GitHubResponseError(401, "A JSON web token could not be decoded") from error
        if claims["exp"] - datetime.now(UTC).timestamp() > _LONGEST_JWT:
            text = "'Expiration time' claim ('exp') is too far in the future"
            raise GitHubResponseError(401, text)


async def read_object(request: Request, allowed: frozenset[str] | None = None) -> dict[str, Any]:
    """Return the JSON object that a call carries; properties that are not ``allowed`` raise."""
    try:
        document = json.loads(await request.body())
    except (ValueError, RecursionError):
        raise GitHubResponseError(400, "Problems parsing JSON") from None
    if not isinstance(document, dict):
        raise GitHubResponseError(400, "Body should be a JSON object")
    for name in document if allowed is not None else ():
        if allowed is not None and name not in allowed:
            raise GitHubResponseError(422, f'Invalid request.\n\n"{name}" is not a permitted key.')
    return document


def person(login: str) -> dict[str, str]:
    """Return an author as commits name one."""
    return {"name": login, "email": f"{login}@users.noreply.example.com", "date": now()}


def user(login: str) -> dict[str, Any]:
    """Return an account as most answers name one."""
    return {"login": login, "id": sum(login.encode()), "type": "User"}


def now() -> str:
    """Return the current time as GitHub writes it."""
    return timestamp(datetime.now(UTC).timestamp())


def timestamp(seconds: float) -> str:
    """Return a time as GitHub writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def page(request: Request, items: list[Any]) -> list[Any]:
    """Return the page of a list that a call asks for."""
    size = min(int(request.query_params.get("per_page", "30")), 100)
    start = (int(request.query_params.get("page", "1")) - 1) * size
    return items[start : start + size]


def _credential(request: Request) -> str:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() not in {"bearer", "token"} or not given:
        raise GitHubResponseError(401, "Requires authentication")
    return given


def _check_headers(request: Request) -> None:
    if "User-Agent" not in request.headers:
        raise GitHubResponseError(403, "Request forbidden by administrative rules.")
    asked = request.headers.get("X-GitHub-Api-Version", VERSION)
    if asked != VERSION:
        raise GitHubResponseError(400, f"The API version {asked} is not supported.")


def _base(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"
