"""Secrets in texts: which forms are found, and what stays."""

import base64
import hashlib
import html
import json
import unicodedata
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pao.runtime.masking import SHORTEST_SECRET, SecretMasks, hide_secrets

SECRET = st.text(st.characters(codec="utf-8"), min_size=SHORTEST_SECRET, max_size=40).filter(
    lambda text: text.strip("* \t\n") != ""
)


@given(secret=SECRET)
def test_a_secret_is_hidden_in_every_usual_escape(secret: str) -> None:
    for form in (
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        html.escape(secret),
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
    ):
        assert hide_secrets(f"<{form}>", [secret]) == "<********>"


@given(text=st.text())
def test_a_text_without_secrets_stays_as_it_is(text: str) -> None:
    assert hide_secrets(text, ["a secret that is not there", "abc", ""]) == text


def test_the_longer_of_two_secrets_is_hidden_whole() -> None:
    assert hide_secrets("see hunter2-and-more", ["hunter2", "hunter2-and-more"]) == "see ********"


PASSWORD = 'S3ntinel-"Pa55"\\word!'
NOTE = "characters that hold a secret in another form]"


def in_json(text: str, times: int) -> str:
    for _ in range(times):
        text = json.dumps({"said": text})
    return text


FURTHER: dict[str, str] = {
    "JSON inside JSON": in_json(PASSWORD, 2),
    "JSON inside JSON inside JSON": in_json(PASSWORD, 3),
    "a URL in a URL": quote(quote(PASSWORD, safe=""), safe=""),
    "a URL in JSON in a URL": quote(json.dumps({"u": quote(PASSWORD)})),
    "decimal entities": "".join(f"&#{ord(char)};" for char in PASSWORD),
    "hexadecimal entities": "".join(f"&#x{ord(char):X};" for char in PASSWORD),
    "named entities twice": html.escape(html.escape(PASSWORD)),
    "every character percent-encoded": "".join(f"%{ord(char):02x}" for char in PASSWORD),
    "Unicode escapes": "".join(f"\\u{ord(char):04x}" for char in PASSWORD),
    "Python's escapes": "".join(f"\\x{ord(char):02x}" for char in PASSWORD),
    "capitals": PASSWORD.upper(),
    "small letters": PASSWORD.lower(),
    "UTF-16 read as UTF-8": PASSWORD.encode("utf-16").decode(errors="replace"),
    "UTF-16 read as Latin-1": PASSWORD.encode("utf-16-be").decode("latin-1"),
    "base64": base64.b64encode(PASSWORD.encode()).decode(),
    "base64 behind one byte": base64.b64encode(b"u" + PASSWORD.encode() + b"z").decode(),
    "base64 behind two bytes": base64.urlsafe_b64encode(b"u:" + PASSWORD.encode()).decode(),
    "base64 of base64": base64.b64encode(base64.b64encode(PASSWORD.encode())).decode(),
    "base64 of JSON": base64.b64encode(in_json(PASSWORD, 2).encode()).decode(),
    "base64 of UTF-16": base64.b64encode(PASSWORD.encode("utf-16-le")).decode(),
    "hexadecimal": PASSWORD.encode().hex().upper(),
    "hexadecimal with colons": PASSWORD.encode().hex(":"),
    "base32": base64.b32encode(PASSWORD.encode()).decode(),
    "base32 in small letters behind two bytes": base64.b32encode(b"u:" + PASSWORD.encode())
    .decode()
    .rstrip("=")
    .lower(),
    "quoted-printable": "".join(f"={ord(char):02X}" for char in PASSWORD),
    "quoted-printable with soft line breaks": "=\n".join(f"={ord(char):02X}" for char in PASSWORD),
    "octal escapes": "".join(f"\\{ord(char):03o}" for char in PASSWORD),
    "SHA-256": hashlib.sha256(PASSWORD.encode()).hexdigest(),
    "two lines": f"{PASSWORD[:9]}\n    {PASSWORD[9:]}",
    "a list of bytes": json.dumps({"type": "Buffer", "data": list(PASSWORD.encode())}),
    "a dump in groups of two bytes": f"00000000: {PASSWORD.encode().hex(' ', 2)}",
    "bytes of C behind a word": "ends in e " + PASSWORD.encode().hex(",").replace(",", ", 0x"),
    "CSV": PASSWORD.replace('"', '""'),
    "Markdown": "".join(f"\\{char}" if char in '-"\\!' else char for char in PASSWORD),
    "characters that nobody sees": PASSWORD.replace("-", "-\u200b\u00ad"),
}


@pytest.mark.parametrize("form", FURTHER.values(), ids=FURTHER.keys())
def test_nothing_but_its_length_stays_of_a_text_that_holds_a_secret_in_another_form(
    form: str,
) -> None:
    masks = SecretMasks([PASSWORD])
    for shown in (masks.hide(f"said: {form} and more"), masks.hide_in({"a": [form]})["a"][0]):
        assert NOTE in shown or "********" in shown
        assert form not in shown
        assert PASSWORD[:6].lower() not in shown.lower()


FORM = "correct horse battery"
ADDRESS = "postgres://pao:pass%20word%2Fone@db/pao"


@pytest.mark.parametrize(
    ("secret", "form"),
    [
        (FORM, quote_plus(f"/cb?p={quote_plus(FORM)}")),
        ("my *pass* word~9", "my+*pass*+word%7E9"),
        ("Passwört-geheim", unicodedata.normalize("NFD", "Passwört-geheim")),
        (unicodedata.normalize("NFD", "Passwört-geheim"), "Passwört-geheim"),
        ("it's-my-secret", "it''s-my-secret"),
        ("it's-my-secret", """'it'"'"'s-my-secret'"""),
        ("a{b}c-secret_1", r"a\{b\}c\-secret\_1"),
        (ADDRESS, quote_plus(quote_plus("pass word/one"))),
    ],
)
def test_a_secret_is_found_with_the_blanks_and_escapes_of_others(secret: str, form: str) -> None:
    masks = SecretMasks([secret])
    for shown in (masks.hide(f"said: {form} and more"), masks.hide_in([form])[0]):
        assert NOTE in shown


@pytest.mark.parametrize("secret", ['""""""""', "+ + + + +", "a       b"])
def test_a_secret_of_signs_hides_nothing_else(secret: str) -> None:
    assert SecretMasks([secret]).hide("a + b is the label 'c'") == "a + b is the label 'c'"


@pytest.mark.parametrize("secret", ["pässwörd-größe", "пароль-тайна-один"])
@pytest.mark.parametrize("charset", ["utf-8", "utf-16-le", "latin-1", "cp1251"])
@pytest.mark.parametrize("read", ["utf-8", "latin-1"])
def test_a_secret_in_another_charset_is_hidden(secret: str, charset: str, read: str) -> None:
    raw = secret.encode(charset, errors="replace")
    shown = SecretMasks([secret]).hide(f"<{raw.decode(read, errors='replace')}>")
    assert "wörd" not in shown
    assert not any(part in shown for part in ("p\0ä", "gr", "rd-"))


@pytest.mark.parametrize("secret", ["S3ntinel+Pa55/word+", "pässwörd-größe"])
def test_a_secret_in_utf_7_is_hidden(secret: str) -> None:
    form = secret.encode("utf-7").decode()
    assert form not in SecretMasks([secret]).hide(f"you sent {form}, it is wrong")


def test_the_note_says_how_long_the_text_was() -> None:
    shown = SecretMasks([PASSWORD]).hide("x" * 1000 + quote(quote(PASSWORD, safe=""), safe=""))
    assert shown.startswith("[hidden: 1,0")
    assert shown.endswith(NOTE)


@pytest.mark.parametrize("left", range(3, len(PASSWORD)))
def test_what_a_cut_has_left_of_a_secret_is_hidden(left: int) -> None:
    masks = SecretMasks([PASSWORD])
    begun = json.dumps(PASSWORD)[1:-1][:left]
    assert masks.hide(f"cannot set {begun}") == "cannot set ********"
    assert masks.hide(f"cannot set {begun}\u2026 Retry.") == "cannot set ********\u2026 Retry."
    assert masks.hide_in(f"cannot set {begun}\u2026") == "cannot set ********\u2026"


def test_a_text_that_nobody_cut_keeps_an_end_that_only_begins_like_a_secret() -> None:
    masks = SecretMasks([PASSWORD])
    assert masks.hide(f"look for {PASSWORD[:5]}", whole=True) == f"look for {PASSWORD[:5]}"
    assert masks.hide(f"look for {PASSWORD}", whole=True) == "look for ********"
    shown = masks.hide(f"it said {PASSWORD[:5]}... and {PASSWORD[:5]}", whole=True)
    assert shown == f"it said ********... and {PASSWORD[:5]}"


@pytest.mark.parametrize(
    "mark", ["...", "[...]", " [\u2026]", "[truncated]", " (truncated)", " (1,234 more characters)"]
)
def test_a_mark_of_a_cut_may_stand_in_brackets(mark: str) -> None:
    masks = SecretMasks([PASSWORD])
    for shown in (masks.hide, masks.hide_in):
        assert shown(f"set {PASSWORD[:14]}{mark} Retry.") == f"set ********{mark} Retry."


def test_a_cut_within_an_escaped_secret_hides_the_text() -> None:
    escaped = quote(quote("S3ntinel/Pa55/word/and/more", safe=""), safe="")
    shown = SecretMasks(["S3ntinel/Pa55/word/and/more"]).hide(f"set {escaped[:-8]}")
    assert NOTE in shown or "S3nt" not in shown


def test_a_pin_is_hidden_as_a_word_and_as_a_value_and_nowhere_else() -> None:
    masks = SecretMasks(["4711", "abc1"])
    given = {
        "pin": 4711,
        "as float": 4711.0,
        "text": "4711",
        "told": "the pin 4711, and abc1!",
        "id": "x4711y",
        "number": 147110,
        "status": 200,
        "nested": ['{"pin":4711}', "%34711"],
    }
    hidden = masks.hide_in(given)
    assert hidden == {
        "pin": "********",
        "as float": "********",
        "text": "********",
        "told": "the pin ********, and ********!",
        "id": "x4711y",
        "number": 147110,
        "status": 200,
        "nested": ['{"pin":********}', hidden["nested"][1]],
    }
    assert "4711" not in hidden["nested"][1]


def test_a_pin_with_a_leading_zero_is_hidden_as_the_number_that_it_becomes() -> None:
    assert SecretMasks(["004711"]).hide_in({"pin": 4711}) == {"pin": "********"}


@pytest.mark.parametrize(
    "text",
    [
        "https://example.com/a%20b?x=%41&y=1",
        "a &amp; b &lt;c&gt; \\n \\u0041",
        "SGVsbG8gd29ybGQsIHRoaXMgaXMgcGxhaW4=",
        "the production cluster is production-db",
        "deadbeefdeadbeefdeadbeef",
        "KRUGS4ZANFZSA4DMMFUW4ICUMV4HI",
        "a=41&b=\\101 and c=",
        "status 200, 4 KB, 4,711 bytes",
        "[115, 51, 99, 114, 101, 116] and 00000000: 7333 6372 6574 (truncated) [...]",
        "\ufffd\ufffd\ufffd\ufffd ???? \u2026",
    ],
)
def test_a_text_that_only_looks_encoded_stays(text: str) -> None:
    masks = SecretMasks([PASSWORD, "4711", "ünïcödé-pass", "production-2"])
    assert masks.hide(text) == text
    assert masks.hide_in(text) == text


@given(
    places=st.sets(st.integers(0, 399), max_size=6),
    form=st.sampled_from([PASSWORD, PASSWORD.upper(), in_json(PASSWORD, 2), "4711"]),
)
def test_a_secret_among_many_texts_is_hidden_and_the_others_stay(
    places: set[int], form: str
) -> None:
    texts = [f"https://h/{number}?a=%20b" for number in range(400)]
    given: list[Any] = [{"id": number, "of": (text, None)} for number, text in enumerate(texts)]
    for place in places:
        given[place] = {"id": 4711, "of": (f"<{form}>", None)}
    shown = SecretMasks([PASSWORD, "4711"]).hide_in({"items": given})["items"]
    for number, text in enumerate(texts):
        if number in places:
            assert shown[number]["id"] == "********"
            assert form not in shown[number]["of"][0]
        else:
            assert shown[number] == {"id": number, "of": [text, None]}
