"""The signed HTTP client: one call, its repetition after a lost response, its errors.

Imported only when a command calls the service, because httpx takes a while to load.
"""

import re
import time
import uuid
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

import httpx

from pao.app.cli.aws_sign_in import add_signature, aws_session
from pao.app.cli.exits import CliError, ExitCode, LostAnswerError, exit_code_of, from_envelope
from pao.app.cli.profiles import ApiTarget
from pao.clients.aws.sigv4 import SigningKey
from pao.core.names import MASK
from pao.runtime.version import VERSION

BASE_PATH = "/api/v1"

# The most entries that one page may have.
_PAGE = 200

# A call that may be repeated is sent this often if its response is lost, with growing pauses.
_ATTEMPTS = 3
_PAUSE_SECONDS = 0.5

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol, httpx.PoolTimeout)
_SECRET_HEADERS = frozenset({"x-amz-security-token", "x-pao-sts", "cookie", "set-cookie"})
_FIRST_ERROR_STATUS = 400

Trace = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """A response of the service: status, headers and the document."""

    status: int
    headers: Mapping[str, str]
    document: Any


class RequestSigner(httpx.Auth):
    """Signs each request with an access key when it is sent."""

    requires_request_body = True

    def __init__(self, target: ApiTarget) -> None:
        self._key = SigningKey(target.access_key_id or "", target.secret_access_key or "")
        self._target = target

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the signature's headers."""
        target = self._target
        add_signature(request, self._key, service=target.service, region=target.region)
        yield request


class Api:
    """The service as the commands see it: documents in, documents out, errors as ``CliError``."""

    def __init__(
        self,
        target: ApiTarget,
        *,
        timeout: float,
        attempts: int = _ATTEMPTS,
        trace: Trace | None = None,
        note: Trace | None = None,
    ) -> None:
        self.target = target
        self.correlation_id = str(uuid.uuid4())
        self._attempts = attempts
        self._trace = trace
        self._note = note
        signing = bool(target.access_key_id and target.secret_access_key)
        self._auth: httpx.Auth | None = RequestSigner(target) if signing else None
        self._client = httpx.Client(
            base_url=target.endpoint + BASE_PATH,
            timeout=timeout,
            headers={
                "User-Agent": f"pao/{VERSION}",
                "Accept": "application/json",
                "X-Correlation-ID": self.correlation_id,
            },
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str, **params: Any) -> Any:
        """Read a document; parameters that are None are left out, lists are repeated."""
        self._require_credentials()
        return _check_status(self._read(path, params)).document

    def get_open(self, path: str, **params: Any) -> ApiResponse:
        """Read a page that may need no key; returns the response whatever its status."""
        response = self._read(path, params)
        return _api_response(response) if _is_json(response) else _check_status(response)

    def post(
        self,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> ApiResponse:
        """Send a document; with an idempotency key the call is repeated after a lost response."""
        self._require_credentials()
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        request = self._client.build_request("POST", path, json=body or {}, headers=headers)
        return _check_status(self._send(request, attempts=self._attempts if idempotency_key else 1))

    def deliver(self, path: str, body: bytes, headers: Mapping[str, str]) -> ApiResponse:
        """Send bytes that are already signed, once, and without an access key."""
        request = self._client.build_request("POST", path, content=body, headers=dict(headers))
        return _check_status(self._send(request, attempts=1, signed=False))

    def delete(self, path: str) -> ApiResponse:
        """End or remove something."""
        self._require_credentials()
        return _check_status(self._send(self._client.build_request("DELETE", path), attempts=1))

    def pages(self, path: str, *, limit: int | None, **params: Any) -> Iterator[dict[str, Any]]:
        """Yield the pages of a list until it ends or ``limit`` entries were read."""
        read, cursor = 0, None
        while limit is None or read < limit:
            size = _PAGE if limit is None else min(limit - read, _PAGE)
            page = self.get(path, limit=size, cursor=cursor, **params)
            yield page
            read += len(page["data"])
            cursor = page.get("pagination", {}).get("nextCursor")
            if not cursor:
                return

    @contextmanager
    def stream(self, path: str, *, last_event_id: str | None) -> Iterator[Iterator[str]]:
        """Open a stream of Server-Sent Events; yields an iterator of its lines.

        Raises ``CliError`` when it is refused, and httpx's ``TransportError`` when it breaks.
        """
        self._require_credentials()
        headers = {"Accept": "text/event-stream"}
        if last_event_id:
            headers["Last-Event-ID"] = last_event_id
        # The service sends a comment every 15 s: three missed ones mean that it is unavailable.
        timeout = httpx.Timeout(10.0, read=50.0)
        request = self._client.build_request("GET", path, headers=headers, timeout=timeout)
        response = self._client.send(request, auth=self._auth, stream=True)
        try:
            self._trace_response(response)
            if response.status_code >= _FIRST_ERROR_STATUS:
                response.read()
                raise _api_error(response)
            yield response.iter_lines()
        finally:
            response.close()

    def _read(self, path: str, params: Mapping[str, Any]) -> httpx.Response:
        given = {name: value for name, value in params.items() if value is not None}
        request = self._client.build_request("GET", path, params=given or None)
        return self._send(request, attempts=self._attempts)

    def _send(
        self, request: httpx.Request, *, attempts: int, signed: bool = True
    ) -> httpx.Response:
        auth = self._auth if signed else None
        for attempt in range(1, attempts + 1):
            self._log_call(f"{request.method} {request.url} (attempt {attempt})")
            try:
                response = self._client.send(request, auth=auth)
            except _NOT_SENT as error:
                raise self._unreachable(error) from error
            except httpx.TransportError as error:
                reason = str(error) or type(error).__name__
                self._log_call(f"no answer: {reason}")
                if attempt == attempts:
                    raise LostAnswerError(self.target.endpoint, reason) from error
                time.sleep(_PAUSE_SECONDS * attempt)
            else:
                self._trace_response(response)
                return response
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _require_credentials(self) -> None:
        if self._auth is None:
            self._auth = aws_session(self.target)
        if self._auth is None:
            raise CliError(
                "No access key and no AWS credentials: every call is signed",
                exit_code=ExitCode.DENIED,
                hint="Set PAO_ACCESS_KEY_ID and PAO_SECRET_ACCESS_KEY, or use --profile; after "
                "`pao up`: source .pao/env. With AWS: `aws sso login`.",
            )

    def _unreachable(self, error: Exception) -> CliError:
        return CliError(
            f"No response from {self.target.endpoint} ({error})",
            exit_code=ExitCode.UNAVAILABLE,
            hint="Start it with `pao up`, or name another one with PAO_URL or --endpoint.",
        )

    def _log_call(self, line: str) -> None:
        if self._note is not None:
            self._note(line)

    def _trace_response(self, response: httpx.Response) -> None:
        self._log_call(f"{response.status_code} {response.reason_phrase}")
        if self._trace is None:
            return
        for sign, headers in ((">", response.request.headers), ("<", response.headers)):
            for name, value in headers.items():
                self._trace(f"  {sign} {name}: {_mask_header(name, value)}")


def _check_status(response: httpx.Response) -> ApiResponse:
    if response.status_code >= _FIRST_ERROR_STATUS:
        raise _api_error(response)
    return _api_response(response)


def _api_response(response: httpx.Response) -> ApiResponse:
    return ApiResponse(response.status_code, response.headers, _document(response))


def _mask_header(name: str, value: str) -> str:
    if name in _SECRET_HEADERS:
        return MASK
    if name == "authorization":
        return re.sub(r"(Signature=).*", rf"\1{MASK}", value) if "Signature=" in value else MASK
    return value


def _is_json(response: httpx.Response) -> bool:
    return "json" in response.headers.get("content-type", "")


def _document(response: httpx.Response) -> Any:
    if not _is_json(response):
        return response.text
    try:
        return response.json()
    except ValueError as error:
        raise _not_from_pao(response, "an answer that is not JSON") from error


def _api_error(response: httpx.Response) -> CliError:
    document = _document(response) if _is_json(response) else None
    error = document.get("error") if isinstance(document, dict) else None
    if not isinstance(error, dict):
        return _not_from_pao(response, "no error of PAO's own")
    return from_envelope(
        response.status_code, error, retry_after=response.headers.get("retry-after")
    )


def _not_from_pao(response: httpx.Response, what: str) -> CliError:
    kind = response.headers.get("content-type", "no content type")
    return CliError(
        f"{response.request.url} answered {response.status_code} with {kind}: {what}",
        exit_code=exit_code_of(max(response.status_code, _FIRST_ERROR_STATUS)),
        hint="Check that --endpoint points to PAO itself.",
    )
