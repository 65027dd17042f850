"""Every kind of credentials against the stand-in, and what happens when they are not accepted."""

import asyncio
import contextlib
import datetime as dt
import ipaddress
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from pao.clients.jira import (
    BasicAuth,
    JiraClient,
    JiraFlavour,
    JiraInstance,
    JiraOutcomeUnknownError,
    JiraRefusedError,
    JiraUnreachableError,
    OAuth2Auth,
    PatAuth,
)
from pao.core.names import MASK
from pao.runtime.masking import SecretMasks
from sandbox.jira.settings import JiraSandboxSettings
from tests.support.jira import JiraSandbox, jira_sandbox

FIELDS: dict[str, Any] = {
    "project": {"key": "PLATFORM"},
    "issuetype": {"name": "Task"},
    "summary": "A database",
    "labels": ["pao-1"],
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JiraSandbox]:
    with jira_sandbox(tmp_path_factory.mktemp("jira")) as started:
        yield started


@pytest.fixture
def sandbox(running: JiraSandbox) -> JiraSandbox:
    running.reset()
    running.revoke_tokens()
    return running


@pytest.mark.parametrize("flavour", list(JiraFlavour))
async def test_one_token_of_oauth2_serves_many_calls(
    sandbox: JiraSandbox, flavour: JiraFlavour
) -> None:
    before = sandbox.tokens_issued()
    async with JiraClient(sandbox.instance(auth=sandbox.oauth2(), flavour=flavour)) as client:
        await asyncio.gather(*(client.create_issue(FIELDS) for _ in range(10)))
        await client.ping()
    assert len(sandbox.tickets()) == 10
    assert sandbox.tokens_issued() == before + 1


async def test_a_token_that_is_no_longer_accepted_is_renewed_once(sandbox: JiraSandbox) -> None:
    async with JiraClient(sandbox.instance(auth=sandbox.oauth2())) as client:
        await client.ping()
        before = sandbox.tokens_issued()
        sandbox.revoke_tokens()
        await client.create_issue(FIELDS)
    assert len(sandbox.tickets()) == 1
    assert sandbox.tokens_issued() == before + 1


async def test_a_jira_that_refuses_new_tokens_too_is_asked_twice_only(
    sandbox: JiraSandbox,
) -> None:
    before = sandbox.tokens_issued()
    sandbox.fault("status", status=401, times=5)
    async with JiraClient(sandbox.instance(auth=sandbox.oauth2())) as client:
        with pytest.raises(JiraRefusedError) as caught:
            await client.create_issue(FIELDS)
    assert caught.value.status == 401
    assert sandbox.tokens_issued() == before + 2
    assert [fault["remaining"] for fault in sandbox.faults()] == [3]


async def test_a_token_is_renewed_before_it_expires(tmp_path: Path) -> None:
    with jira_sandbox(tmp_path, settings=JiraSandboxSettings(access_token_seconds=0)) as forgetful:
        async with JiraClient(forgetful.instance(auth=forgetful.oauth2())) as client:
            with contextlib.suppress(JiraRefusedError):
                await client.ping()
            with contextlib.suppress(JiraRefusedError):
                await client.ping()
        # Twice in each call: the token that was got at once counted for nothing.
        assert forgetful.tokens_issued() == 4


async def test_wrong_client_credentials_are_named_without_their_secret(
    sandbox: JiraSandbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = sandbox.oauth2(client_secret=SecretStr("not-the-secret"))
    async with JiraClient(sandbox.instance(auth=wrong)) as client:
        with pytest.raises(JiraRefusedError) as caught:
            await client.create_issue(FIELDS)
    assert caught.value.message == (
        'JIRA "main" was not asked to create the ticket: the OAuth2 token endpoint '
        f"{sandbox.url}/oauth/token gave no token (HTTP 401 invalid_client): check tokenUrl, "
        "clientId and clientSecret of this instance."
    )
    assert not caught.value.retryable
    assert "not-the-secret" not in caplog.text


@pytest.mark.parametrize(
    ("fault", "error", "retryable"),
    [
        ({"kind": "status", "status": 503}, JiraRefusedError, True),
        ({"kind": "rate-limit"}, JiraRefusedError, True),
        ({"kind": "html-login"}, JiraRefusedError, False),
        ({"kind": "html-login", "status": 302}, JiraRefusedError, False),
        ({"kind": "huge"}, JiraRefusedError, False),
        ({"kind": "cut-after"}, JiraUnreachableError, True),
        ({"kind": "drip"}, JiraUnreachableError, True),
        ({"kind": "slow"}, JiraUnreachableError, True),
    ],
)
async def test_a_token_endpoint_in_trouble_never_leaves_the_outcome_unknown(
    sandbox: JiraSandbox, fault: dict[str, Any], error: type[Exception], *, retryable: bool
) -> None:
    sandbox.fault(**fault, match={"path": "/oauth/token"})
    late = {"total_timeout": 0.5} if fault["kind"] in {"drip", "slow"} else {}
    async with JiraClient(sandbox.instance(auth=sandbox.oauth2(), **late)) as client:
        with pytest.raises(error) as caught:
            await client.create_issue(FIELDS)
    told: Any = caught.value
    assert told.retryable is retryable
    assert sandbox.tickets() == []


async def test_a_call_cut_after_its_token_came_leaves_the_outcome_unknown(
    sandbox: JiraSandbox,
) -> None:
    sandbox.fault("cut-after")
    async with JiraClient(sandbox.instance(auth=sandbox.oauth2())) as client:
        with pytest.raises(JiraOutcomeUnknownError):
            await client.create_issue(FIELDS)
        assert await client.find_by_label("pao-1") is not None


async def test_letters_beyond_latin_1_are_sent_as_utf_8(tmp_path: Path) -> None:
    known = JiraSandboxSettings(username="żółw", token="pässwörd-€")
    with jira_sandbox(tmp_path, settings=known) as sandbox:
        async with JiraClient(sandbox.instance()) as client:
            await client.ping()


async def test_a_netrc_of_the_account_that_runs_pao_does_not_replace_a_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password else\n")
    netrc.chmod(0o600)
    seen: list[str] = []
    with _plain_jira(seen) as proxy:
        monkeypatch.setenv("NETRC", str(netrc))
        monkeypatch.setenv("http_proxy", proxy)
        monkeypatch.delenv("no_proxy", raising=False)
        auth = PatAuth(SecretStr("the-token"))
        async with JiraClient(_instance("http://jira.invalid", auth=auth)) as client:
            await client.server_info()
    [asked] = seen
    assert asked.startswith("GET http://jira.invalid/rest/api/2/serverInfo")
    assert "Authorization: Bearer the-token" in asked
    assert "Basic" not in asked


async def test_an_own_authority_is_trusted_where_the_instance_says_so(tmp_path: Path) -> None:
    authority = _certificate(tmp_path)
    with _tls_jira(tmp_path / "server.pem") as url:
        trusted = _instance(url, ca_file=str(authority))
        async with JiraClient(trusted) as client:
            assert (await client.server_info()).version == "9"
        async with JiraClient(_instance(url)) as client:
            with pytest.raises(JiraUnreachableError, match="caFile"):
                await client.server_info()


def _instance(url: str, **changes: Any) -> JiraInstance:
    values: dict[str, Any] = {"auth": BasicAuth("pao", SecretStr("x")), "default_project": "OPS"}
    return JiraInstance("own", url, JiraFlavour.DATACENTER, **{**values, **changes})


def _certificate(folder: Path) -> Path:
    """Make a certificate of its own authority for this machine; the key lies beside it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "PAO test")])
    now = dt.datetime.now(dt.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate = made.public_bytes(serialization.Encoding.PEM)
    (folder / "ca.pem").write_bytes(certificate)
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    private = key.private_bytes(serialization.Encoding.PEM, form, plain)
    (folder / "server.pem").write_bytes(private + certificate)
    return folder / "ca.pem"


BODY = b'{"version": "9", "deploymentType": "Server"}'
HEAD = f"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {len(BODY)}\r\n\r\n".encode()


def _tls_jira(pem: Path) -> contextlib.AbstractContextManager[str]:
    """Answer every connection with one description of a server, over TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)

    def serve(plain: socket.socket) -> None:
        with context.wrap_socket(plain, server_side=True) as connection:
            connection.recv(65536)
            connection.sendall(HEAD + BODY)

    return _server(serve, "https")


def _plain_jira(seen: list[str]) -> contextlib.AbstractContextManager[str]:
    """Answer every connection alike, and keep what was asked."""

    def serve(connection: socket.socket) -> None:
        with connection:
            seen.append(connection.recv(65536).decode())
            connection.sendall(HEAD + BODY)

    return _server(serve, "http")


@contextlib.contextmanager
def _server(serve: Callable[[socket.socket], None], scheme: str) -> Iterator[str]:
    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with contextlib.suppress(OSError):
                    serve(connection)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield f"{scheme}://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(10)


@pytest.mark.parametrize(("wanted", "in_header"), [("basic", True), ("post", False)])
async def test_a_client_of_oauth2_signs_in_by_header_or_form(
    tmp_path: Path, wanted: str, *, in_header: bool
) -> None:
    secret = "s:e c+r%e&t/ü"
    settings = JiraSandboxSettings(client_secret=secret, client_id="pao:ü", token_auth=wanted)
    with jira_sandbox(tmp_path, settings=settings) as strict:
        given = {"client_id": "pao:ü", "client_secret": SecretStr(secret)}
        right = strict.instance(auth=strict.oauth2(in_header=in_header, **given))
        async with JiraClient(right) as client:
            await client.ping()
        wrong = strict.instance(auth=strict.oauth2(in_header=not in_header, **given))
        async with JiraClient(wrong) as client:
            with pytest.raises(JiraRefusedError) as caught:
                await client.ping()
    assert secret not in f"{caught.value} {caught.value.body}"


def test_the_secret_of_a_header_is_masked() -> None:
    auth = OAuth2Auth("pao", SecretStr("s3cr3t"), "https://a.example", in_header=True)
    hidden = SecretMasks(auth.secrets()).hide(f"x {auth.basic()} s3cr3t")
    assert hidden == f"x Basic {MASK} {MASK}"
