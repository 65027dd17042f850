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

from sandbox.github.deliveries import Deliveries
from sandbox.github.events import check_payload, pull_payload, push_payload
from sandbox.github.rate import LIMIT, Rate, tagged
from sandbox.github.world import DEFAULT_BRANCH, Settings
from sandbox.kit.git import FILE, LINK, Entry, Git
from sandbox.kit.store import Store

Handler = Callable[[Request], Awaitable[Response]]
DOCS = "https://docs.github.com/rest"
VERSION = "2022-11-28"
_LONGEST_JWT = 600
_ARROW = "-> "
_NOT_MODIFIED = 304
_SUBMODULE = "160000"
_MEDIA = {"X-GitHub-Media-Type": "github.v3; format=json"}
_RATE_TEXT = "API rate limit exceeded for user ID 1."


class RefusalError(Exception):
    """An error answer in GitHub's shape."""

    def __init__(self, status: int, message: str, errors: list[Any] | None = None) -> None:
        super().__init__(status)
        body: dict[str, Any] = {"message": message, "documentation_url": DOCS}
        if errors is not None:
            body["errors"] = errors
        self.response = JSONResponse({**body, "status": str(status)}, status)


class RestCalls:
    """Makes routes of handlers: checks credentials, shapes errors, tells the rate."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store = store
        self.settings = settings
        self.git = Git(store)
        self.rate = Rate()
        self.deliveries = Deliveries(store)
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
                self._take_call()
                response = tagged(request, await handler(request))
            except RefusalError as refusal:
                response = refusal.response
            if response.status_code == _NOT_MODIFIED:
                self.rate.give_back()
            response.headers.update(_MEDIA | self.rate.headers())
            return response

        return Route(f"{self.settings.flavour.prefix}{path}", serve, methods=[method])

    def _take_call(self) -> None:
        if not self.rate.take():
            raise RefusalError(403, _RATE_TEXT)

    def repository(self, request: Request) -> str:
        """Return the full name of the repository that a call is about."""
        named = f"{request.path_params['owner']}/{request.path_params['repo']}"
        found = self.store.get("repository", named.lower())
        if found is None:
            raise self._nowhere(request, named)
        return str(found["full_name"])

    def filled(self, request: Request) -> str:
        """Return the full name of the repository that a call is about, refused while empty."""
        name = self.repository(request)
        if not self.git.refs(name):
            raise RefusalError(409, "Git Repository is empty.")
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
        """Return a repository another name, to which the old one redirects; None deletes it."""
        self.store.remove("repository", name.lower())
        if new is not None:
            self.store.put("moved", name.lower(), new)

    def _nowhere(self, request: Request, named: str) -> RefusalError:
        moved = self.store.get("moved", named.lower())
        if moved is None:
            return RefusalError(404, "Not Found")
        refusal = RefusalError(301 if request.method == "GET" else 307, "Moved Permanently")
        refusal.response.headers["Location"] = self.api_url(request, f"/repos/{moved}")
        return refusal

    def begin_anew(self) -> None:
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
            whole = self.git.files(name, before["tree"]) if before else {}
            for path, content in files.items():
                if content is None:
                    del whole[path]
                    continue
                link = content.startswith(_ARROW)
                sha = self.git.add_blob(name, content.removeprefix(_ARROW).encode())
                kept = content if mode == _SUBMODULE else sha
                whole[path] = Entry(LINK if link else mode, kept)
            sha = self.git.add_commit(
                name,
                tree=self.git.add_tree(name, whole),
                parents=[parent] if parent else [],
                message=message,
                who=person("ann"),
            )
            self.point(name, f"heads/{branch}", sha)
        return sha

    def point(self, name: str, ref: str, sha: str | None) -> None:
        """Point a reference to a commit, or remove it, and tell whoever listens."""
        before = self.git.ref(name, ref)
        if sha is None:
            self.git.unpoint(name, ref)
        else:
            self.git.point(name, ref, sha)
        repository = self.store.get("repository", name.lower())
        if before != sha and repository is not None:
            payload = push_payload(self.git, repository, ref, before=before, after=sha)
            self.deliveries.notify(name, "push", payload)

    def tell_pull(self, name: str, pull: dict[str, Any], action: str) -> None:
        """Tell whoever listens what has happened to a pull request."""
        repository = self.store.get("repository", name.lower())
        self.deliveries.notify(name, "pull_request", pull_payload(repository, pull, action))

    def tell_rerequest(self, name: str, run: dict[str, Any]) -> None:
        """Tell whoever listens that somebody wants a check run once more."""
        repository = self.store.get("repository", name.lower())
        self.deliveries.notify(name, "check_run", check_payload(repository, run))

    def lag(self, name: str, ref: str, *, calls: int) -> None:
        """Answer so many calls for a reference with the commit that it points to now."""
        self._lags[f"{name.lower()}:{ref}"] = (self.git.ref(name, ref) or "", calls)

    def seen(self, name: str, ref: str) -> str | None:
        """Return the commit of a reference as a replica sees it, which may lag behind."""
        key = f"{name.lower()}:{ref}"
        old, calls = self._lags.get(key, ("", 0))
        if calls <= 0:
            return self.git.ref(name, ref)
        self._lags[key] = (old, calls - 1)
        return old or None

    def issue_archive(self, name: str, sha: str) -> str:
        """Make a token for one archive."""
        token = secrets.token_hex(12)
        self.store.put("archive", token, [name.lower(), sha])
        return token

    def takes_archive(self, token: str, name: str, sha: str) -> bool:
        """Return whether a token is for this archive."""
        return bool(self.store.get("archive", token) == [name.lower(), sha])

    def issue_token(self) -> tuple[str, float]:
        """Make an installation token; returns it and when it ends, in seconds since 1970."""
        token = f"ghs_{secrets.token_hex(18)}"
        ends = datetime.now(UTC).timestamp() + self.settings.token_seconds
        self.store.put("token", token, ends)
        return token, ends

    def _check_token(self, token: str) -> None:
        if hmac.compare_digest(token.encode(), self.settings.token.encode()):
            return
        ends = self.store.get("token", token)
        if ends is None or ends < datetime.now(UTC).timestamp():
            raise RefusalError(401, "Bad credentials")

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
            raise RefusalError(401, "A JSON web token could not be decoded") from error
        if claims["exp"] - datetime.now(UTC).timestamp() > _LONGEST_JWT:
            text = "'Expiration time' claim ('exp') is too far in the future"
            raise RefusalError(401, text)


async def read_object(request: Request, known: frozenset[str] | None = None) -> dict[str, Any]:
    """Return the JSON object that a call carries; unknown properties are refused where listed."""
    try:
        document = json.loads(await request.body())
    except (ValueError, RecursionError):
        raise RefusalError(400, "Problems parsing JSON") from None
    if not isinstance(document, dict):
        raise RefusalError(400, "Body should be a JSON object")
    for name in document if known is not None else ():
        if known is not None and name not in known:
            raise RefusalError(422, f'Invalid request.\n\n"{name}" is not a permitted key.')
    return document


def person(login: str) -> dict[str, str]:
    """Return an author as commits name one."""
    return {"name": login, "email": f"{login}@users.noreply.example.com", "date": now()}


def user(login: str) -> dict[str, Any]:
    """Return an account as most answers name one."""
    return {"login": login, "id": sum(login.encode()), "type": "User"}


def now() -> str:
    """Return this moment as GitHub writes it."""
    return moment(datetime.now(UTC).timestamp())


def moment(seconds: float) -> str:
    """Return a moment as GitHub writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def page(request: Request, items: list[Any]) -> list[Any]:
    """Return the page of a list that a call asks for."""
    size = min(int(request.query_params.get("per_page", "30")), 100)
    start = (int(request.query_params.get("page", "1")) - 1) * size
    return items[start : start + size]


def _credential(request: Request) -> str:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() not in {"bearer", "token"} or not given:
        raise RefusalError(401, "Requires authentication")
    return given


def _check_headers(request: Request) -> None:
    if "User-Agent" not in request.headers:
        raise RefusalError(403, "Request forbidden by administrative rules.")
    asked = request.headers.get("X-GitHub-Api-Version", VERSION)
    if asked != VERSION:
        raise RefusalError(400, f"The API version {asked} is not supported.")


def _base(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"
