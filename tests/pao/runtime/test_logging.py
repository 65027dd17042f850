import io
import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

from pao.runtime.logging import Redactor, configure_logging, current_log_fields, log_fields

SECRET = "tr0ub4dor-and-3"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logging(level="INFO", style="json", secrets=[SECRET], stream=stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)


def only_line(stream: io.StringIO) -> dict[str, Any]:
    [line] = stream.getvalue().splitlines()
    document: dict[str, Any] = json.loads(line)
    return document


def test_a_record_is_one_line_of_json(stream: io.StringIO) -> None:
    logging.getLogger("pao.test").info("two\nlines of %s", "text", extra={"attempt": 2})

    line = only_line(stream)

    assert line["message"] == "two\nlines of text"
    assert line["level"] == "INFO"
    assert line["logger"] == "pao.test"
    assert line["attempt"] == 2
    assert line["time"].endswith("Z")


def test_a_warning_of_a_library_is_a_line_as_well() -> None:
    stream = io.StringIO()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    with warnings.catch_warnings():
        logging.captureWarnings(capture=False)
        configure_logging(level="INFO", style="json", secrets=[SECRET], stream=stream)
        warnings.simplefilter("always")
        warnings.warn(f"cannot use {SECRET}", UserWarning, stacklevel=1)
        logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)

    line = only_line(stream)
    assert (line["level"], line["logger"]) == ("WARNING", "py.warnings")
    assert "UserWarning: cannot use ********" in line["message"]


def test_every_line_of_a_context_carries_its_ids(stream: io.StringIO) -> None:
    with log_fields(correlationId="c1"), log_fields(requestId="r1"):
        logging.getLogger("pao.test").info("inside")

    line = only_line(stream)

    assert (line["correlationId"], line["requestId"]) == ("c1", "r1")
    assert current_log_fields() == {}


def test_a_line_within_a_span_names_its_trace(stream: io.StringIO) -> None:
    with TracerProvider().get_tracer("test").start_as_current_span("work") as span:
        logging.getLogger("pao.test").info("inside")

    assert only_line(stream)["traceId"] == f"{span.get_span_context().trace_id:032x}"


def test_known_secrets_are_masked_wherever_they_stand(stream: io.StringIO) -> None:
    try:
        int(SECRET)
    except ValueError:
        logging.getLogger("pao.test").exception(
            "with %s", SECRET, extra={"nested": {"list": [SECRET, 1]}}
        )

    assert SECRET not in stream.getvalue()
    assert only_line(stream)["nested"] == {"list": ["********", 1]}


@pytest.mark.parametrize(
    "name", ["password", "apiToken", "api_key", "Authorization", "client-secret", "PAO_SECRET"]
)
def test_a_field_that_is_named_like_a_secret_is_masked(stream: io.StringIO, name: str) -> None:
    logging.getLogger("pao.test").info("x", extra={"fields": {name: "value"}})

    assert only_line(stream)["fields"] == {name: "********"}


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("Authorization: Bearer abcdefghijkl", "abcdefghijkl"),
        ("AWS4-HMAC-SHA256 Credential=A/B, Signature=0123456789abcdef0123", "0123456789abcdef"),
        ("postgresql://pao:hunter2@db/pao", "hunter2"),
        ("GET /x?X-Amz-Signature=deadbeef&a=b", "deadbeef"),
        ('{"password": "hunter2"}', "hunter2"),
        ("jira_api_token=hunter2 rest", "hunter2"),
    ],
)
def test_what_looks_like_a_credential_is_masked(text: str, hidden: str) -> None:
    assert hidden not in Redactor().text(text)


@pytest.mark.parametrize(
    "text", ["PLATFORM-123 was created", "https://jira.example.com/browse/X-1", "3 tokens left"]
)
def test_ordinary_texts_stay_as_they_are(text: str) -> None:
    assert Redactor(["abc"]).text(text) == text


def test_an_extra_cannot_replace_what_the_line_says_itself(stream: io.StringIO) -> None:
    logging.getLogger("pao.test").info("true", extra={"level": "forged", "time": "never"})

    line = only_line(stream)

    assert line["level"] == "INFO"
    assert line["level_"] == "forged"


def test_a_text_line_cannot_be_forged_or_steer_the_terminal() -> None:
    stream = io.StringIO()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logging(level="INFO", style="text", stream=stream)
    logging.getLogger("pao.test").info("a\nERROR forged\x1b[31m", extra={"who": "x\ny"})
    root.handlers[:] = handlers
    root.setLevel(level)

    [line] = stream.getvalue().splitlines()

    assert r"a\x0aERROR forged\x1b[31m who=x\x0ay" in line


PIECES = ["a-", "a.", "a://", "a:", "Bearer ", "password", "password ", "_"]


@pytest.mark.parametrize("piece", PIECES)
def test_a_long_text_of_any_pieces_is_looked_through_at_once(piece: str) -> None:
    # With a pattern that begins anew at each piece this takes hours.
    text = piece * (1_000_000 // len(piece))
    assert len(Redactor(["a-known-secret"]).text(text)) >= len(text) // 2
