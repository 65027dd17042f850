"""Sends a call once and reads its answer up to a limit, within one hard total timeout."""

import asyncio
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import httpcore
import httpx

from pao.clients.outgoing.outgoing_errors import (
    AddressRefusedError,
    CallBrokenError,
    CallInvalidError,
    CallTimeoutError,
    CallUnsentError,
    OutgoingError,
)
from pao.clients.outgoing.resolver import HostResolver
from pao.clients.outgoing.wire import CONNECT_SECONDS, ConnectionOptions, ConnectionPools
from pao.core.answers import READ_BYTES
from pao.core.urls import MAX_PORT
from pao.runtime.version import VERSION

USER_AGENT = f"platform-automation-orchestrator/{VERSION}"
PORTS = {"http": 80, "https": 443}
REDIRECTS = frozenset({301, 302, 303, 307, 308})
# Headers kept on a redirect to another host; any other may be a credential.
SAFE_ON_REDIRECT = frozenset({"accept", "user-agent", "x-correlation-id"})
# Set by the transport; a caller's value would break the framing or hide which host is called.
TRANSPORT_HEADERS = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "accept-encoding", "expect"}
)
_GZIP_OR_ZLIB = 47
# RFC 9110: a name is a token, a value holds no control characters except tab.
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
NOT_IN_HEADER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
# RFC 1035; underscores occur in private networks.
_LABEL = re.compile(r"[0-9A-Za-z_-]{1,63}")
_LONGEST_NAME = 253
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]")
_SHOWN_NAME = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingCall:
    """One request; ``redirects`` is how many are followed, which is for calls that only read."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    max_body: int = READ_BYTES
    redirects: int = 0


@dataclass(frozen=True, slots=True)
class OutgoingResponse:
    """The response; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes
    truncated: bool
    url: str


@dataclass(slots=True)
class _SendProgress:
    """Whether a connection was attempted, and whether sending the request itself has begun."""

    connecting: bool = False
    sent: bool = False

    async def trace(self, event: str, info: dict[str, Any]) -> None:
        """Receive the library's events: a proxy's CONNECT is not the request."""
        if event == "connection.connect_tcp.started":
            self.connecting = True
        if event == "http11.send_request_headers.started":
            self.sent = self.sent or info["request"].method != b"CONNECT"


class HttpClient:
    """Sends calls; one per process, ``close`` it at the end."""

    def __init__(
        self, options: ConnectionOptions | None = None, *, resolver: HostResolver | None = None
    ) -> None:
        self._wire = ConnectionPools(options or ConnectionOptions(), resolver)

    async def send(self, call: OutgoingCall, *, seconds: float) -> OutgoingResponse:
        """Send the call and return its answer, within so many seconds in total.

        Raises ``AddressRefusedError``, ``CallInvalidError``, ``CallTimeoutError``,
        ``CallUnsentError`` or ``CallBrokenError``; none of them contains the address's path or
        query, which may contain a secret.
        """
        sending = _SendProgress()
        host = host_of(call.url)
        try:
            async with asyncio.timeout(seconds):
                return await self._follow(call, sending)
        except OutgoingError:
            raise
        except (TimeoutError, httpcore.TimeoutException) as error:
            raise _timeout_error(host, sending, seconds) from error
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError) as error:
            raise _connection_error(host, sending, error) from error

    async def close(self) -> None:
        """Close every connection."""
        await self._wire.close()

    async def _follow(self, call: OutgoingCall, sending: _SendProgress) -> OutgoingResponse:
        reply = await self._exchange(call, sending)
        for _ in range(call.redirects):
            location = reply.headers.get("location")
            if reply.status not in REDIRECTS or not location:
                break
            call = _follow_redirect(call, location)
            reply = await self._exchange(call, sending)
        return reply

    async def _exchange(self, call: OutgoingCall, sending: _SendProgress) -> OutgoingResponse:
        url = read_url(call.url)
        port = url.port or PORTS[url.scheme]
        host = url.raw_host.decode("ascii")
        pool = await self._wire.pool_for(host, port)
        request = httpcore.Request(
            call.method,
            httpcore.URL(scheme=url.scheme, host=url.raw_host, port=port, target=url.raw_path),
            headers=_headers(call, url),
            content=call.content or b"",
            extensions={
                "trace": sending.trace,
                "timeout": {"connect": CONNECT_SECONDS},
                "sni_hostname": host.rstrip("."),
            },
        )
        response = await pool.handle_async_request(request)
        try:
            return await _read(response, call)
        finally:
            await response.aclose()


def read_url(text: str) -> httpx.URL:
    """Parse a URL; raises CallInvalidError if it cannot be called."""
    try:
        url = httpx.URL(text)
        host = url.host
    except (httpx.InvalidURL, UnicodeError, ValueError) as error:
        raise CallInvalidError("The address to call is not a valid URL.") from error
    if url.scheme not in PORTS or not host:
        raise CallInvalidError(
            "The address to call must begin with https:// or http:// and a host."
        )
    if not _is_host(url.raw_host.decode("ascii")):
        raise CallInvalidError("The host of the address to call is not a valid name.")
    if url.port is not None and not 0 < url.port <= MAX_PORT:
        raise CallInvalidError("The port of the address to call must be from 1 to 65535.")
    if url.userinfo:
        raise CallInvalidError(
            "The address to call must not carry credentials; configure the authentication."
        )
    return url


def _is_host(host: str) -> bool:
    """Return whether a host is an IPv6 address, or a name or IPv4 address that DNS may know."""
    if ":" in host:
        return True  # httpx has read it
    name = host.removesuffix(".")
    return len(name) <= _LONGEST_NAME and all(map(_LABEL.fullmatch, name.split(".")))


def host_of(text: str) -> str:
    """Return a URL's host, with a non-default port, as people and circuit breakers name it."""
    try:
        url = read_url(text)
    except CallInvalidError:
        return "the target"
    host = url.raw_host.decode("ascii").rstrip(".")
    shown = f"[{host}]" if ":" in host else host
    return f"{shown}:{url.port}" if url.port else shown


def _headers(call: OutgoingCall, url: httpx.URL) -> list[tuple[bytes, bytes]]:
    given = {
        name: value for name, value in call.headers.items() if name.lower() not in TRANSPORT_HEADERS
    }
    if "user-agent" not in map(str.lower, given):
        given["User-Agent"] = USER_AGENT
    sent = {"Host": url.netloc.decode("ascii"), "Accept-Encoding": "identity", **given}
    if call.content is not None or call.method.upper() in {"POST", "PUT", "PATCH"}:
        sent["Content-Length"] = str(len(call.content or b""))
    return [_header(name, value) for name, value in sent.items()]


def _header(name: str, value: str) -> tuple[bytes, bytes]:
    """Encode a header; raises CallInvalidError with its name if HTTP does not allow it."""
    if not HEADER_NAME.fullmatch(name):
        shown = _UNPRINTABLE.sub("?", name)[:_SHOWN_NAME]
        raise CallInvalidError(
            f"The header name {shown!r} holds a character that HTTP does not allow."
        )
    if found := NOT_IN_HEADER.search(value):
        what = "a line break" if found[0] in "\r\n" else "a character that HTTP does not allow"
        raise CallInvalidError(f"The value of the header {name} holds {what}; correct it.")
    try:
        return name.encode("ascii"), value.strip(" \t").encode()
    except UnicodeError as error:
        raise CallInvalidError(
            f"The value of the header {name} is not valid text; correct it."
        ) from error


def redirected_url(old: str, location: str) -> str:
    """Return where a redirect leads; raises AddressRefusedError if it must not be followed."""
    before = read_url(old)
    try:
        after = before.join(location)
        read_url(str(after))
    except (httpx.InvalidURL, UnicodeError, ValueError, CallInvalidError) as error:
        raise AddressRefusedError("The target redirected to an invalid URL.") from error
    if before.scheme == "https" and after.scheme != "https":
        raise AddressRefusedError("The target redirected from https to http; that is not followed.")
    return str(after)


def _follow_redirect(call: OutgoingCall, location: str) -> OutgoingCall:
    old, new = read_url(call.url), read_url(redirected_url(call.url, location))
    headers = call.headers
    if (old.scheme, old.host, old.port) != (new.scheme, new.host, new.port):
        headers = {
            name: value for name, value in headers.items() if name.lower() in SAFE_ON_REDIRECT
        }
    return replace(call, url=str(new), headers=headers)


async def _read(response: httpcore.Response, call: OutgoingCall) -> OutgoingResponse:
    body, truncated = bytearray(), False
    async for chunk in response.aiter_stream():
        body += chunk
        if len(body) > call.max_body:
            truncated = True
            break
    headers: dict[str, str] = {}
    for raw, value in response.headers:
        name, text = raw.decode("latin-1").lower(), value.decode("latin-1")
        headers[name] = f"{headers[name]}, {text}" if name in headers else text
    kept, more = _decompress(bytes(body), headers.get("content-encoding", ""), call.max_body)
    return OutgoingResponse(response.status, headers, kept, truncated or more, call.url)


def _decompress(body: bytes, encoding: str, limit: int) -> tuple[bytes, bool]:
    """Decompress an unrequested encoding, never beyond the limit."""
    if encoding.strip().lower() not in {"gzip", "x-gzip", "deflate"}:
        return body[:limit], len(body) > limit
    unpacker = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        plain = unpacker.decompress(body, limit)
    except zlib.error:
        return body[:limit], len(body) > limit
    return plain, bool(unpacker.unconsumed_tail)


def _timeout_error(host: str, sending: _SendProgress, seconds: float) -> OutgoingError:
    if sending.sent:
        return CallBrokenError(f"{host} did not finish responding within {seconds:.0f} s.")
    if not sending.connecting or seconds < CONNECT_SECONDS:
        return CallTimeoutError(f"Time ran out before {host} could be reached; nothing was sent.")
    return CallUnsentError(f"{host} could not be reached in time.")


def _connection_error(host: str, sending: _SendProgress, error: Exception) -> OutgoingError:
    # Raised before anything is written.
    if isinstance(error, httpcore.LocalProtocolError):
        return CallInvalidError(
            "The request holds a character that HTTP does not allow; correct it."
        )
    if sending.sent:
        return CallBrokenError(f"{host} cut the connection, or sent an invalid HTTP response.")
    if isinstance(error, httpcore.ProxyError):
        return CallUnsentError(f"The proxy does not lead to {host}: {error}")
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return CallUnsentError(
            f"The certificate of {host} is not trusted; add a private authority to "
            "PAO_EGRESS_CA_BUNDLE."
        )
    return CallUnsentError(f"{host} cannot be reached: no connection was established.")
