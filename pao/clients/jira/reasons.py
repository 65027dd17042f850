"""Why no answer came, for people; by the type of the error, never by its text."""

import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError

from pao.clients.jira.transport import CallEndedError, JiraCall
from pao.core.answers import safe_url
from pao.runtime.networks import read_address

TOO_LATE = "no complete response arrived in time"


_REASONS: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str], ...] = (
    (NameResolutionError, "the host name of its base URL cannot be resolved"),
    # Before the timeouts: urllib3 reports every failure to connect as one of those.
    (ConnectionRefusedError, "the connection was refused"),
    ((ConnectTimeoutError, requests.ConnectTimeout), "no connection could be made in time"),
    (
        ssl.SSLCertVerificationError,
        "its TLS certificate is not trusted (set caFile in JIRA_INSTANCES for a private one)",
    ),
    (ssl.SSLError, "the TLS handshake failed"),
    ((requests.Timeout, TimeoutError), TOO_LATE),
)


def why_no_answer(exc: BaseException, call: JiraCall) -> str:
    """Return a clause such as "the connection was refused", which names a token endpoint."""
    reason = _reason(exc, call)
    if call.token_url is None:
        return reason
    return f"the OAuth2 token endpoint {safe_url(call.token_url)} gave no token: {reason}"


def _reason(exc: BaseException, call: JiraCall) -> str:
    if call.ended or isinstance(exc, CallEndedError):
        return TOO_LATE if call.contacted else "time ran out before it could be sent"
    chain = list(_chain(exc))
    for kind, text in _REASONS:
        if any(isinstance(error, kind) for error in chain):
            return text
    if call.contacted:
        return "the connection was cut before the response was complete"
    return f"no request could be sent ({type(exc).__name__})"


def is_loopback(url: str) -> bool:
    """Return whether an address is on this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return read_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _chain(exc: BaseException) -> Iterator[BaseException]:
    """Walk causes and the errors that requests and urllib3 keep as arguments, each once."""
    todo, seen = [exc], set[int]()
    while todo:
        error = todo.pop()
        if id(error) in seen:
            continue
        seen.add(id(error))
        yield error
        inner = (error.__cause__, error.__context__, getattr(error, "reason", None), *error.args)
        todo.extend(item for item in inner if isinstance(item, BaseException))
