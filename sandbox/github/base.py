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

from sandbox.github.git import FILE, LINK, Entry, Git
from sandbox.github.store import Store
from sandbox.github.world import DEFAULT_BRANCH, Settings

Handler = Callable[[Request], Awaitable[Response]]
DOCS = "https://docs.github.com/rest"
VERSION = "2022-11-28"
_LONGEST_JWT = 600
_ARROW = "-> "
_RATE = {
    "X-RateLimit-Limit": "5000",
    "X-RateLimit-Remaining": "4999",
    "X-RateLimit-Used": "1",
    "X-RateLimit-Resource": "core",
    "X-RateLimit-Reset": "1900000000",
    "X-GitHub-Media-Type": "github.v3; format=json",
}


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

    def route(
        self, path: str, handler: Handler, method: str = "GET", *, app: bool = False
    ) -> Route:
        """Return a route that wants a token, or with ``app`` the App's own JWT."""
        check = self._check_app if app else self._check_token

        async def serve(request: Request) -> Response:
            try:
                _check_headers(request)
                check(_credential(request))
                response = await handler(request)
            except RefusalError as refusal:
                response = refusal.response
            response.headers.update(_RATE)
            return response

        return Route(f"{self.settings.flavour.prefix}{path}", serve, methods=[method])

    def repository(self, request: Request) -> str:
        """Return the full name of the repository that a call is about."""
        named = f"{request.path_params['owner']}/{request.path_params['repo']}"
        found = self.store.get("repository", named.lower())
        if found is None:
            raise self._nowhere(request, named)
        return str(found["full_name"])

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
        with self.store.change():
            self.store.reset()
            for name, files in self.settings.seeds.items():
                self.add_repository(name, files)

    def push(
        self,
        name: str,
        branch: str,
        files: Mapping[str, str | None],
        *,
        message: str,
        mode: str = FILE,
    ) -> str:
        """Commit to a branch as somebody else would.

        None removes a file, and a content that begins with an arrow makes a symbolic link.
        """
        with self.store.change():
            parent = self.git.ref(name, f"heads/{branch}")
            before = self.git.commit(name, parent) if parent else None
            whole = self.git.files(name, before["tree"]) if before else {}
            for path, content in files.items():
                if content is None:
                    del whole[path]
                    continue
                link = content.startswith(_ARROW)
                sha = self.git.add_blob(name, content.removeprefix(_ARROW).encode())
                whole[path] = Entry(LINK if link else mode, sha)
            sha = self.git.add_commit(
                name,
                tree=self.git.add_tree(name, whole),
                parents=[parent] if parent else [],
                message=message,
                who=person("ann"),
            )
            self.git.point(name, f"heads/{branch}", sha)
        return sha

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
