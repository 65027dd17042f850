"""One outgoing call: what is sent, what is read of the answer, and every way to end badly."""

import asyncio
import datetime as dt
import gzip
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pao.clients.outgoing import (
    AddressRefusedError,
    CallBrokenError,
    CallInvalidError,
    CallUnsentError,
    ConnectionOptions,
    EgressRules,
    HttpClient,
    OutgoingCall,
)
from pao.clients.outgoing.client import read_url
from tests.support.raw_servers import RawServer, answering, cutting, raw_server
from tests.support.worker import eventually

LOOPBACK = EgressRules.parse(["127.0.0.0/8"])
SECONDS = 5.0


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    made = HttpClient(ConnectionOptions(rules=LOOPBACK))
    yield made
    await made.close()


def post(url: str, **more: Any) -> OutgoingCall:
    return OutgoingCall(**{"method": "POST", "url": url, "content": b"hello", **more})


async def test_a_call_is_sent_as_it_is_meant(client: HttpClient) -> None:
    with raw_server(answering(b'{"a": 1}', headers={"X-One": "1"})) as server:
        call = post(f"{server.url}/a%20b?q=1#part", headers={"X-Two": "\u00e4", "Host": "evil"})
        reply = await client.send(call, seconds=SECONDS)
        await client.send(call, seconds=SECONDS)
    assert (reply.status, reply.body, reply.truncated) == (200, b'{"a": 1}', False)
    assert reply.headers["x-one"] == "1"
    first = server.requests[0].split(b"\r\n")
    assert first[0] == b"POST /a%20b?q=1 HTTP/1.1"
    assert f"Host: 127.0.0.1:{server.port}".encode() in first
    assert "X-Two: \u00e4".encode() in first
    assert first[-1] == b"hello"
    assert not any(line.startswith(b"Host: evil") for line in first)


async def test_connections_are_used_again(client: HttpClient) -> None:
    lines: set[int] = set()

    def note(connection: socket.socket, request: bytes) -> None:
        lines.add(connection.fileno())
        answering()(connection, request)

    with raw_server(note) as server:
        for _ in range(3):
            await client.send(post(server.url), seconds=SECONDS)
    assert (server.count, len(lines)) == (3, 1)


async def test_of_a_long_answer_only_the_beginning_is_read(client: HttpClient) -> None:
    with raw_server(answering(b"x" * 10_000_000)) as server:
        reply = await client.send(post(server.url, max_body=1000), seconds=SECONDS)
    assert (reply.status, len(reply.body), reply.truncated) == (200, 1000, True)


async def test_a_packed_answer_is_unpacked_within_the_bound(client: HttpClient) -> None:
    packed = gzip.compress(b"y" * 5_000_000)
    with raw_server(answering(packed, headers={"Content-Encoding": "gzip"})) as server:
        reply = await client.send(post(server.url, max_body=100_000), seconds=SECONDS)
    assert (reply.body, reply.truncated) == (b"y" * 100_000, True)


def drip(connection: socket.socket, _request: bytes) -> None:
    """Send one byte at a time, for ever."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    pause = threading.Event()
    for _ in range(2000):
        connection.sendall(b"x")
        pause.wait(0.02)


def hold(connection: socket.socket, _request: bytes) -> None:
    """Answer nothing."""
    connection.recv(1)


def nonsense(connection: socket.socket, _request: bytes) -> None:
    connection.sendall(b"hello, this is no HTTP\r\n\r\n")
    connection.shutdown(socket.SHUT_RDWR)


def half(connection: socket.socket, _request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    connection.shutdown(socket.SHUT_RDWR)


def endless_headers(connection: socket.socket, _request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for number in range(20_000):
        connection.sendall(b"X-%d: %s\r\n" % (number, b"y" * 100))


@pytest.mark.parametrize("behave", [drip, hold, nonsense, half, cutting, endless_headers])
async def test_a_call_that_left_without_a_whole_answer_is_told_as_such(
    client: HttpClient, behave: Any
) -> None:
    with raw_server(behave) as server, pytest.raises(CallBrokenError) as caught:
        await client.send(post(f"{server.url}/path?token=secret"), seconds=0.5)
    assert "127.0.0.1" in caught.value.message
    assert "secret" not in caught.value.message
    assert server.count == 1, "nothing is sent twice"


async def test_a_call_that_found_nobody_was_never_sent(client: HttpClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(CallUnsentError):
        await client.send(post(f"http://127.0.0.1:{port}"), seconds=SECONDS)


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("127.0.0.1:0", "port"),
        ("127.0.0.1:65536", "port"),
        ("127.0.0.1:99999", "port"),
        ("a..b.example.com", "not a valid name"),
        (f"{'x' * 64}.example.com", "not a valid name"),
        (".".join(["x" * 63] * 4), "not a valid name"),
        ("a%3A443.example.com", "not a valid name"),
        ("%C3%A9.example.com", "not a valid name"),
        ("a b.example.com", "not a valid name"),
        ("xn--", "not a valid URL"),
        ("xn--a.example.com", "not a valid URL"),
    ],
)
async def test_an_address_that_no_host_has_is_never_called(
    client: HttpClient, host: str, said: str
) -> None:
    with pytest.raises(CallInvalidError, match=said):
        await client.send(post(f"https://{host}/x"), seconds=SECONDS)


@pytest.mark.parametrize(
    "host", ["a_b.example.com.", "[::1]:65535", "127.1", "-a.b", "\u00e9.example.com"]
)
def test_an_address_that_a_host_may_have_is_read(host: str) -> None:
    assert read_url(f"https://{host}/x")


async def test_a_header_that_breaks_the_framing_is_never_sent(client: HttpClient) -> None:
    with raw_server(answering()) as server:
        for headers in ({"X-A": "a\r\nX-B: b"}, {"X A": "a"}, {"\u00e4": "a"}):
            with pytest.raises(CallInvalidError):
                await client.send(post(server.url, headers=headers), seconds=SECONDS)
        with pytest.raises(
            CallInvalidError, match="The value of the header X-Team holds a line break"
        ):
            await client.send(post(server.url, headers={"X-Team": "a\nb"}), seconds=SECONDS)
    assert server.count == 0


async def test_a_cancelled_call_ends_at_once_and_closes_its_line(client: HttpClient) -> None:
    closed = threading.Event()

    def wait(connection: socket.socket, _request: bytes) -> None:
        if not connection.recv(1):
            closed.set()

    with raw_server(wait) as server:
        task = asyncio.create_task(client.send(post(server.url), seconds=60))
        await eventually(lambda: server.count)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(closed.wait, 5)


# Redirects


async def test_a_redirect_is_followed_by_who_reads_and_judged_anew(client: HttpClient) -> None:
    with raw_server(answering(b"found")) as goal:
        moved = answering(b"", status="302 Found", headers={"Location": f"{goal.url}/there"})
        with raw_server(moved) as start:
            call = OutgoingCall(
                method="GET", url=start.url, redirects=3, headers={"Authorization": "Bearer x"}
            )
            reply = await client.send(call, seconds=SECONDS)
    assert reply.body == b"found"
    assert b"Bearer x" in start.requests[0]
    assert b"Bearer x" not in goal.requests[0], "credentials stay with the first host"


@pytest.mark.parametrize(
    "location",
    ["http://169.254.169.254/latest", "http://[::1]/", "file:///etc/passwd", "http://x@y"],
)
async def test_a_redirect_to_where_nobody_may_go_is_refused(
    client: HttpClient, location: str
) -> None:
    moved = answering(b"", status="307 Moved", headers={"Location": location})
    with raw_server(moved) as start, pytest.raises(AddressRefusedError):
        await client.send(OutgoingCall(method="GET", url=start.url, redirects=3), seconds=SECONDS)


async def test_a_circle_of_redirects_ends(client: HttpClient) -> None:
    moved = answering(b"", status="302 Found", headers={"Location": "/again"})
    with raw_server(moved) as start:
        reply = await client.send(
            OutgoingCall(method="GET", url=start.url, redirects=3), seconds=SECONDS
        )
    assert (reply.status, start.count) == (302, 4)


# TLS and proxies


def certificate(folder: Path, name: str) -> tuple[Path, ssl.SSLContext]:
    """Make a certificate for a name; gives its file and a server's context."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "ca.pem", folder / "key.pem"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return public, context


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, RawServer]]:
    file, context = certificate(tmp_path_factory.mktemp("tls"), "api.example.test")
    with raw_server(answering(b"secure"), tls=context) as server:
        yield file, server


class Here:
    """Every name leads to this machine."""

    async def resolve(self, _host: str, _port: int) -> list[str]:
        return ["127.0.0.1"]


@pytest.mark.parametrize(
    ("host", "trusted", "reached"),
    [
        ("api.example.test", True, True),
        ("api.example.test.", True, True),
        ("other.example.test", True, False),
        ("api.example.test", False, False),
    ],
)
async def test_tls_asks_for_the_name_although_the_address_was_judged(
    secure: tuple[Path, RawServer], host: str, *, trusted: bool, reached: bool
) -> None:
    file, server = secure
    options = ConnectionOptions(rules=LOOPBACK, ca_bundle=file if trusted else None)
    client = HttpClient(options, resolver=Here())
    call = post(f"https://{host}:{server.port}/")
    before = server.count
    if reached:
        assert (await client.send(call, seconds=SECONDS)).body == b"secure"
    else:
        with pytest.raises(CallUnsentError, match="PAO_EGRESS_CA_BUNDLE"):
            await client.send(call, seconds=SECONDS)
        assert server.count == before
    await client.close()


def tunnel(connection: socket.socket, request: bytes) -> None:
    """Be a proxy: lead CONNECT to the port that is asked for, whatever the name; answer others."""
    method, goal, _ = request.split(b" ", 2)
    if method != b"CONNECT":
        answering(b"by proxy")(connection, request)
        return
    port = int(goal.rpartition(b":")[2])
    with socket.create_connection(("127.0.0.1", port)) as there:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        back = threading.Thread(target=_pump, args=(there, connection), daemon=True)
        back.start()
        _pump(connection, there)
        back.join(5)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        return


async def test_a_proxy_is_used_with_its_credentials_but_judges_nothing_away(
    secure: tuple[Path, RawServer],
) -> None:
    file, server = secure
    with raw_server(tunnel) as proxy:
        options = ConnectionOptions(
            rules=EgressRules.parse(["api.example.test"]),
            proxy=f"http://ann:s%40cret@127.0.0.1:{proxy.port}",
            no_proxy=EgressRules.parse(["127.0.0.1"]),
            ca_bundle=file,
        )
        client = HttpClient(options, resolver=Nowhere())
        reply = await client.send(post(f"https://api.example.test:{server.port}/"), seconds=SECONDS)
        assert reply.body == b"secure"
        assert b"Proxy-Authorization: Basic YW5uOnNAY3JldA==" in proxy.requests[0]
        assert b"hello" not in proxy.requests[0]
        plain = await client.send(post("http://api.example.test/x"), seconds=SECONDS)
        assert plain.body == b"by proxy"
        for url in (
            "http://169.254.169.254/",
            "http://2130706433/",
            "https://evil.test/",
            f"http://127.0.0.1:{server.port}/",
        ):
            with pytest.raises(AddressRefusedError):
                await client.send(post(url), seconds=SECONDS)
        await client.close()
    assert proxy.count == 2


class Nowhere:
    """Knows numbers only, as a machine behind a proxy may."""

    async def resolve(self, host: str, port: int) -> list[str]:
        found = socket.getaddrinfo(host, port, flags=socket.AI_NUMERICHOST)
        return [str(entry[4][0]) for entry in found]
