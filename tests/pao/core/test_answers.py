"""Reading answers: JSON that nobody could go on with is a bad answer, and words are shown whole."""

import json

import pytest

from pao.core.answers import place, read_json, words


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 30_000 + b"]" * 30_000,
        b'{"a":' * 150 + b"1" + b"}" * 150,
        b'{"a": "\\ud800"}',
        b'{"\\udfff": 1}',
        b'{"a": NaN}',
        b'{"a": 1e999}',
        b'{"a": -Infinity}',
        b"\xff\xfe",
        b"<html>",
        b"",
    ],
    ids=lambda body: repr(body[:20]),
)
def test_what_nobody_could_go_on_with_is_no_json(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_json(body)


def test_what_is_deep_but_bounded_and_pairs_of_surrogates_are_read() -> None:
    assert read_json(b'{"a": "\\ud83d\\ude00"}') == {"a": "\N{GRINNING FACE}"}
    assert read_json(b"[" * 60 + b"]" * 60) is not None
    large = json.dumps(["x" * 100] * 10_000).encode()
    assert len(read_json(large)) == 10_000


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
        ("plain\n words", "plain words"),
        ("<html>Sign in</html>", ""),
        ("\n  <html>Sign in</html>", ""),
        ("is < 3 ", "is < 3"),
        ("", ""),
    ],
)
def test_a_target_is_shown_in_its_own_words(text: str, said: str) -> None:
    assert words(text) == said


def test_a_place_is_shown_without_what_may_be_secret() -> None:
    assert place("https://ann:pw@a.example.com:8443/x?key=1#f") == "https://a.example.com:8443/x"
    assert place("/jobs/1?key=s") == "/jobs/1"
    assert place("https://ann:p@w@a.example.com/x") == "https://a.example.com/x"
    assert place("?key=1") == "itself"
    assert place("http://[broken") == "an invalid URL"
