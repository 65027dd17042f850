"""The transport of the JIRA client: a hard deadline per call, bounded answers, pooled connections.

requests' own timeouts restart with every byte, so a server that sends one byte a second never
reaches them. Here the socket of a call is shut down at its deadline, and a call that has not been
sent by then never is.
"""

import contextlib
import io
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import requests
import requests.auth
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from pao.clients.jira.models import Deadline
from pao.core.answers import READ_BYTES
from pao.runtime import tracing

ANSWER_LIMIT = READ_BYTES
# Servers and load balancers close idle connections, some after five seconds; a request sent into
# such a connection has an unknown outcome, which costs far more than reconnecting.
IDLE_LIMIT = 4.0


class CallEndedError(Exception):
    """The call's deadline has passed, or its caller was cancelled."""


class JiraCall:
    """One call to JIRA; it records whether anything was sent, and can be ended from outside."""

    def __init__(self, deadline: Deadline) -> None:
        self.deadline = deadline
        self.sent = False
        # Whether anything was sent, even to a token endpoint, and whether time was left to connect.
        self.contacted = False
        self.had_time_to_connect = False
        self.token_url: str | None = None
        self.truncated = False
        self._ended = False
        self._fetching_token = False
        self._watched: list[socket.socket] = []
        self._lock = threading.Lock()

    @property
    def ended(self) -> bool:
        """Return whether the call was ended before its answer arrived."""
        return self._ended

    def watch(self, sock: socket.socket) -> None:
        """Keep the socket to shut it down; raises CallEndedError if the call has ended.

        A duplicate of the descriptor is kept: it works below TLS, and can never affect another
        connection that got the same number after this one was closed.
        """
        with self._lock:
            self._raise_if_ended()
            self._watched.append(socket.socket(fileno=os.dup(sock.fileno())))

    def begin_sending(self) -> None:
        """Record that the request is being sent; raises CallEndedError if the call has ended."""
        with self._lock:
            self._raise_if_ended()
            self.contacted = True
            self.sent = not self._fetching_token

    @contextlib.contextmanager
    def requesting_token(self, token_url: str) -> Iterator[None]:
        """Do not count requests in the block as sent: they fetch a token and change nothing."""
        self.sent, self._fetching_token, self.token_url = False, True, token_url
        try:
            yield
        finally:
            self._fetching_token = False
        self.contacted, self.token_url = False, None

    def end(self) -> None:
        """End the call now: nothing more is sent or read."""
        with self._lock:
            self._ended = True
            for sock in self._watched:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Make this the thread's current call, and end it at its deadline."""
        watchdog = threading.Timer(self.deadline.remaining(), self.end)
        watchdog.daemon = True
        watchdog.start()
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)
            watchdog.cancel()
            self._close_watched()

    def _close_watched(self) -> None:
        with self._lock:
            for sock in self._watched:
                sock.close()
            self._watched.clear()

    def _raise_if_ended(self) -> None:
        if self._ended or not self.deadline.remaining():
            self._ended = True
            raise CallEndedError


_current: ContextVar[JiraCall] = ContextVar("jira_call")


class _WatchedConnection(HTTPConnection):
    """A connection that registers its socket with the current call and checks it before sending."""

    _last_used = 0.0

    @property
    def is_connected(self) -> bool:
        idle = time.monotonic() - self._last_used
        return idle < IDLE_LIMIT and super().is_connected

    def _new_conn(self) -> socket.socket:
        sock = super()._new_conn()
        try:
            _current.get().watch(sock)
        except CallEndedError:
            sock.close()
            raise
        return sock

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Connect first, proxy and TLS included, so that failing there never counts as sent."""
        if self.sock is None:
            self.connect()
        call = _current.get()
        call.watch(self.sock)
        self._last_used = time.monotonic()
        call.begin_sending()
        super().request(*args, **kwargs)


class _WatchedTlsConnection(_WatchedConnection, HTTPSConnection):
    """The same over TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _WatchedConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedTlsConnection


_POOLS = {"http": _Pool, "https": _TlsPool}


class BoundedAdapter(HTTPAdapter):
    """A connection pool, safe to share between threads, that reads at most 4 MB of an answer."""

    def __init__(self, *, connections: int) -> None:
        super().__init__(pool_maxsize=connections, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Create the pool of requests, with connections that can be watched."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        """Create the pool behind a proxy, with connections that can be watched."""
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def send(self, *args: Any, **kwargs: Any) -> requests.Response:
        """Send one request and read its whole answer; raises CallEndedError at the deadline."""
        response = super().send(*args, **{**kwargs, "stream": True})
        call = _current.get()
        body = _read_bounded(response, call)
        if call.ended:
            # An answer without a length looks complete when its connection is shut down.
            raise CallEndedError
        response.raw = io.BytesIO(body)
        return response


def _read_bounded(response: requests.Response, call: JiraCall) -> bytes:
    raw = response.raw
    body: bytes = raw.read(ANSWER_LIMIT + 1, decode_content=True)
    if len(body) > ANSWER_LIMIT:
        call.truncated = True
        raw.close()
    raw.release_conn()
    return body[:ANSWER_LIMIT]


class HeaderAuth(requests.auth.AuthBase):
    """Sends one Authorization header, or none.

    Without an auth, a session uses ~/.netrc, and the library's basic authentication supports only
    Latin-1.
    """

    def __init__(self, authorization: str | None = None) -> None:
        self._authorization = authorization

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        """Set the header of a request."""
        if self._authorization:
            r.headers["Authorization"] = self._authorization
        return r


class BoundedSession(requests.Session):
    """The session of one call: follows no redirects and keeps the call's deadline.

    Sessions are not thread-safe, so each call creates one over the shared pool.
    Each request is a span, named after ``target``.
    """

    def __init__(
        self, adapter: BoundedAdapter, call: JiraCall, *, target: str, connect_timeout: float
    ) -> None:
        super().__init__()
        self.mount("https://", adapter)
        self.mount("http://", adapter)
        self.headers["User-Agent"] = "pao"
        self.auth = HeaderAuth()
        self._call = call
        self._target = target
        self._connect_timeout = connect_timeout

    def request(self, method: Any, url: Any, *args: Any, **kwargs: Any) -> requests.Response:
        """Send one request within the call's remaining time."""
        left = self._call.deadline.remaining()
        if not left or self._call.ended:
            raise CallEndedError
        self._call.had_time_to_connect = left >= self._connect_timeout
        kwargs["timeout"] = (min(self._connect_timeout, left), left)
        kwargs["allow_redirects"] = False
        # Set on each request, or REQUESTS_CA_BUNDLE would take precedence.
        kwargs.setdefault("verify", self.verify)
        with tracing.client_span(self._target, method=method, system="jira") as span:
            response = super().request(method, url, *args, **kwargs)
            span.set_attribute("http.response.status_code", response.status_code)
            return response

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002 -- their name
        """Ignore redirects: a malformed Location would raise otherwise."""
        return
