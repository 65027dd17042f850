"""Values of settings: durations, sizes, lists, proxies, and those of the Parameter Store."""

import json
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pao.core.durations import format_duration
from pao.settings import ConfigurationError, load_settings
from pao.settings.values import format_size, parse_size, read_duration, split_names
from tests.pao.settings.environments import problems_of


@pytest.mark.parametrize(
    ("text", "seconds"), [("500ms", 0.5), ("30s", 30), ("5m", 300), ("1h30m", 5400), ("2d", 172800)]
)
def test_durations_are_read(text: str, seconds: float) -> None:
    assert read_duration(text).total_seconds() == seconds


@pytest.mark.parametrize(
    "text", ["", "30", "s", "0s", "-1s", "1 h", "1h 30m", "1y", "9" * 20 + "d"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        read_duration(text)


@pytest.mark.parametrize(("text", "size"), [("1MB", 1024**2), ("64kb", 65536), ("512", 512)])
def test_sizes_are_read(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "0", "0MB", "-1MB", "1.5MB", "1TB", "MB"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a size"):
        parse_size(text)


@given(st.integers(min_value=1, max_value=2**50))
def test_a_shown_size_is_read_as_itself(size: int) -> None:
    assert parse_size(format_size(size)) == size


def test_lists_drop_blanks() -> None:
    assert split_names(" a, ,b,") == ("a", "b")


PARAMETERS = {"/pao/jira": "token-from-the-store"}


class _ParameterStore(BaseHTTPRequestHandler):
    """Speaks the JSON protocol of SSM's GetParameters."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.headers["X-Amz-Target"] == "AmazonSSM.GetParameters"
        assert asked["WithDecryption"] is True
        found = [name for name in asked["Names"] if name in PARAMETERS]
        answer = {
            "Parameters": [{"Name": name, "Value": PARAMETERS[name]} for name in found],
            "InvalidParameters": [name for name in asked["Names"] if name not in found],
        }
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def parameter_store(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _ParameterStore)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    yield {"AWS_ENDPOINT_URL_SSM": url, "AWS_REGION": "eu-central-1"}
    server.shutdown()
    server.server_close()
    thread.join()


def test_what_no_header_or_connection_can_hold_is_refused(environ: dict[str, str]) -> None:
    environ |= {"JIRA_API_TOKEN": "hunter \u20ac", "JIRA_FLAVOUR": "datacenter"}
    load_settings(environ | {"JIRA_USERNAME": "bot"}, process="api")
    environ.pop("JIRA_USERNAME", None)
    with pytest.raises(ConfigurationError) as caught:
        load_settings(environ, process="api")
    [problem] = caught.value.problems
    assert problem.startswith("JIRA_API_TOKEN: has blanks or letters that a token cannot have")

    environ |= {"JIRA_USERNAME": "bot", "DATABASE_PASSWORD": "hunter\n2"}
    with pytest.raises(ConfigurationError) as caught:
        load_settings(environ, process="api")
    assert any(one.startswith("DATABASE_PASSWORD: has a line") for one in caught.value.problems)
    assert "hunter" not in str(caught.value)


def test_a_secret_is_read_from_parameter_store(
    environ: dict[str, str], parameter_store: dict[str, str]
) -> None:
    del environ["JIRA_API_TOKEN"]
    environ |= parameter_store | {"JIRA_API_TOKEN_PATH": "/pao/jira"}

    token = load_settings(environ, process="api").jira.api_token

    assert token is not None
    assert token.get_secret_value() == "token-from-the-store"


def test_a_parameter_that_is_not_there_is_one_problem(
    environ: dict[str, str], parameter_store: dict[str, str]
) -> None:
    del environ["JIRA_API_TOKEN"]
    environ |= parameter_store | {"JIRA_API_TOKEN_PATH": "/pao/none"}

    [problem] = problems_of(environ)

    assert problem.startswith("JIRA_API_TOKEN_PATH: Parameter Store has no parameter '/pao/none'")


def test_a_secret_given_twice_is_a_problem(environ: dict[str, str]) -> None:
    environ["JIRA_API_TOKEN_PATH"] = "/pao/jira"

    [problem] = problems_of(environ)

    assert (
        problem == "JIRA_API_TOKEN: given as value and as JIRA_API_TOKEN_PATH; keep one of the two"
    )


def test_a_parameter_store_that_is_away_is_a_problem(
    environ: dict[str, str], parameter_store: dict[str, str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    del environ["JIRA_API_TOKEN"]
    environ |= parameter_store | {
        "AWS_ENDPOINT_URL_SSM": f"http://127.0.0.1:{port}",
        "JIRA_API_TOKEN_PATH": "/pao/jira",
    }

    [problem] = problems_of(environ)

    assert "did not answer" in problem
    assert "EndpointConnectionError" in problem


@pytest.mark.parametrize("text", ["0", "0s", "00ms"])
def test_there_may_be_no_drain_time(environ: dict[str, str], text: str) -> None:
    http = load_settings({**environ, "PAO_DRAIN": text}, process="api").http
    assert (http.drain, format_duration(http.drain)) == (timedelta(), "0s")


@pytest.mark.parametrize("text", ["proxy.example.com", "10.0.0.0/33", "*", "10.0.0.1/24"])
def test_a_trusted_proxy_is_an_address_or_a_network(environ: dict[str, str], text: str) -> None:
    given = {**environ, "PAO_TRUSTED_PROXIES": f"10.0.0.7, {text}"}
    [problem] = problems_of(given)
    assert problem.startswith(f"PAO_TRUSTED_PROXIES: {text!r} is not an address or network")
