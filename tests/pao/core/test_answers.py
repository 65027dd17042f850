"""Reading answers: JSON that nobody could go on with is a bad answer, and words are shown whole."""

import json

import pytest

from pao.clients.retry_after import retry_after_seconds
from pao.core.answers import message_text, parse_answer, safe_url, shorten, whole_number


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("9" * 10, 9_999_999_999), ("9" * 11, None), ("", None), ("-1", None), ("٣", None)],
)
def test_a_number_of_a_header_is_bounded(text: str, number: int | None) -> None:
    assert whole_number(text) == number


@pytest.mark.parametrize(
    ("after", "seconds"),
    [
        (" 120 ", 120.0),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0.0),
        ("Sun, 06 Nov 1994 08:49:37 -0000", 0.0),
        ("Sun, 06 Nov 1994 08:49:37 +99999999", None),
        ("Sun, 06 Nov 99999999999999999999 08:49 GMT", None),
        ("9" * 400, None),
        ("in a while", None),
        ("", None),
    ],
)
def test_a_pause_is_in_seconds_or_up_to_a_date(after: str, seconds: float | None) -> None:
    assert retry_after_seconds({"retry-after": after}) == seconds


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"[" * 30_000 + b"]" * 30_000, "^it is nested too deeply$"),
        (b'{"a":' * 150 + b"1" + b"}" * 150, "^it is nested too deeply$"),
        (b"[" * 101 + b"1" + b"]" * 101, "^it is nested too deeply$"),
        (b'{"a": "\\ud800"}', "^it holds half of a surrogate pair$"),
        (b'{"\\udfff": 1}', "^it holds half of a surrogate pair$"),
        (b'{"a": NaN}', "^NaN is not JSON$"),
        (b'{"a": 1e999}', "^1e999 is too large for a number$"),
        (b"1" * 500 + b".5", "^1{20} is too large for a number$"),
        (b'{"a": -Infinity}', "^-Infinity is not JSON$"),
        (b"\xff", "can't decode"),
        (b"<html>", "Expecting value"),
        (b"", "Expecting value"),
    ],
    ids=lambda given: repr(given[:20]),
)
def test_what_nobody_could_go_on_with_is_no_json(body: bytes, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        parse_answer(body)


def test_what_is_deep_but_bounded_and_pairs_of_surrogates_are_read() -> None:
    assert parse_answer(b'{"a": "\\ud83d\\ude00"}') == {"a": "\N{GRINNING FACE}"}
    assert parse_answer(b"[" * 100 + b"1" + b"]" * 100) is not None
    large = json.dumps(["x" * 100] * 10_000).encode()
    assert len(parse_answer(large)) == 10_000


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"message": "Not that."}', "Not that"),
        (
            '{"error": "invalid_scope", "error_description": "No such scope"}',
            "No such scope; invalid_scope",
        ),
        (
            '{"errorMessages": ["First.", "Second"], "errors": {"summary": "is missing"}}',
            "First; Second; summary: is missing",
        ),
        ('{"title": "Bad", "detail": "Size must be even"}', "Size must be even; Bad"),
        ('{"error": {"code": 403, "message": "Denied"}}', "Denied"),
        (
            '{"message": "Validation Failed", "errors": [{"field": "sha", "code": "invalid"}]}',
            "Validation Failed; sha: invalid",
        ),
        ('[{"message": "One"}, {"message": "Two"}]', "One; Two"),
        ('{"message": "Denied", "field": ""}', "Denied"),
        ('{"message": "Denied", "field": 7}', "Denied"),
        ('{"errors": {"a": [{"message": "is bad"}, "is odd."]}}', "a: is bad; a: is odd"),
        ('{"type": "about:blank", "code": 7}', "7; about:blank"),
        ("no \ud800", "no \ud800"),
        ("plain\n words..", "plain words"),
        # A mark of a cut stays, so that the beginning of a secret before it is masked.
        ('{"errors": ["unknown token s3c...", "Second."]}', "unknown token s3c...; Second"),
        ("<html>Sign in</html>", ""),
        ("\n  <html>Sign in</html>", ""),
        ("is < 3 ", "is < 3"),
        ("", ""),
    ],
)
def test_a_target_is_shown_in_its_own_words(text: str, said: str) -> None:
    assert message_text(text) == said


def test_a_place_is_shown_without_what_may_be_secret() -> None:
    assert safe_url("https://ann:pw@a.example.com:8443/x?key=1#f") == "https://a.example.com:8443/x"
    assert safe_url("/jobs/1?key=s") == "/jobs/1"
    assert safe_url("https://ann:p@w@a.example.com/x") == "https://a.example.com/x"
    assert safe_url("?key=1") == "itself"
    assert safe_url("http://[broken") == "an invalid URL"


@pytest.mark.parametrize(
    ("text", "shown"), [("", ""), ("abc", "abc"), ("abcd", "ab\u2026"), ("abcdefgh", "ab\u2026")]
)
def test_a_text_is_cut_to_a_length_that_includes_the_ellipsis(text: str, shown: str) -> None:
    assert shorten(text, 3) == shown
