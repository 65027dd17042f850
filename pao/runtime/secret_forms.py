"""The forms in which a target may echo a secret: escaped, encoded, hashed, in another charset.

Two kinds: forms that are found as they stand and replaced, and decoders that undo what a text went
through. What happens to a text that holds a secret is decided elsewhere.
"""

import base64
import binascii
import hashlib
import html
import json
import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit

ROUNDS = 6
DEPTH = 3
# A shorter piece of an encoding is met by chance.
_SHORTEST_CORE = 6
_LONG_LINE = 16
_LONG_SEGMENT = 20
_LONG_VALUE = 8
_LEAST_LEGIBLE = 4
_HASHES = ("md5", "sha1", "sha256", "sha384", "sha512")
_WIDE = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
_NARROW = ("latin-1", "cp1252", "cp1250", "utf-8")
_TOKEN = re.compile(r"[A-Za-z0-9+/_-]{6,}={0,2}")
_BASE32 = re.compile(r"(?<![A-Za-z0-9])(?:[A-Z2-7]{10,}|[a-z2-7]{10,})(?![A-Za-z0-9])")
_QUOTED = re.compile(r"=(?:\r?\n|([0-9A-Fa-f]{2}))")
_HEX = re.compile(r"[0-9A-Fa-f][0-9A-Fa-fx][0-9A-Fa-fx:\- ,]{6,}")
_BESIDE_HEX = re.compile(r"0x|[x:\- ,]")
_NUMBERS = re.compile(r"[0-9]{1,3}(?:,\s{0,2}-?[0-9]{1,3}){3,}")
# Blanks, plus signs as blanks, escapes, doubled and closed quotes, signs that nobody sees.
_DROPPED = dict.fromkeys(
    map(ord, "\t\n\v\f\r +\\\"'`\u00a0\u00ad\u200b\u200c\u200d\u2060\ufeff"), None
)
_BACKSLASH = re.compile(
    r"\\(?:u\{([0-9A-Fa-f]{1,6})\}|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|x([0-9A-Fa-f]{2})"
    r"|([0-3][0-7]{2})|(.))",
    re.DOTALL,
)
_SIGNS = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "0": "\0", "v": "\v", "a": "\a"}


def direct_forms(secret: str) -> Iterator[str]:
    """Yield the forms that are replaced wherever they occur, the secret itself first."""
    yield secret
    yield " ".join(secret.split()) or secret
    yield repr(secret)[1:-1]
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield json.dumps(secret)[1:-1].replace("/", "\\/")
    yield html.escape(secret)
    yield html.escape(secret, quote=False)
    encoded = secret.encode(errors="replace")
    yield quote(encoded)
    yield quote(encoded, safe="")
    yield quote_plus(encoded)
    yield from _parts(secret)
    yield from _misread_forms(secret)
    for name in _HASHES:
        yield hashlib.new(name, encoded, usedforsecurity=False).hexdigest()


def plain_forms(secret: str) -> Iterator[str]:
    """Yield what is searched for in unescaped texts: the secret and its parts."""
    yield secret
    yield from _parts(secret)


def fold(text: str) -> str:
    """Return a text without differences of case and of composed letters."""
    return unicodedata.normalize("NFKC", text).casefold()


def strip_separators(text: str) -> str:
    """Return a text without blanks, escapes and quotes, which differ by who wrote it."""
    return text.translate(_DROPPED)


def base64_cores(secret: str) -> Iterator[str]:
    """Return what the base64 of any text with the secret contains, at all three alignments.

    The characters at both ends depend on what stands beside the secret, so they are left out.
    """
    for charset in ("utf-8", "utf-16-le", "latin-1"):
        try:
            raw = secret.encode(charset)
        except UnicodeError:
            continue
        for offset in range(3):
            first = -(-offset * 8 // 6)
            last = (offset + len(raw)) * 8 // 6
            core = base64.b64encode(bytes(offset) + raw + bytes(2)).decode()[first:last]
            if len(core) >= _SHORTEST_CORE:
                yield core
                yield core.replace("+", "-").replace("/", "_")


def unescape(text: str) -> Iterator[str]:
    """Yield what a text becomes as its escapes are undone, one kind after the other, repeatedly."""
    for _ in range(ROUNDS):
        before = text
        for undo in (
            _undo_backslashes,
            html.unescape,
            unquote,
            _undo_quoted_printable,
            _undo_other_charset,
            _undo_utf7,
        ):
            undone = undo(text)
            if undone != text:
                yield undone
            text = undone
        if text == before:
            return


def decode(text: str) -> Iterator[str]:
    """Yield the texts that the base64, base32, hexadecimal and byte lists in a text decode to."""
    for match in _BASE32.finditer(text):
        yield from _from_base32(match[0])
    for match in _TOKEN.finditer(text):
        if not _is_word(match[0]):
            yield from _from_base64(match[0])
    for match in _HEX.finditer(text):
        digits = _BESIDE_HEX.sub("", match[0])
        # A word before it may end in such a letter, so that the first digit is not its own.
        for first in (0, 1):
            whole = (len(digits) - first) // 2 * 2
            yield from _texts_of(bytes.fromhex(digits[first : first + whole]))
    for match in _NUMBERS.finditer(text):
        yield from _texts_of(bytes(int(one) & 0xFF for one in match[0].split(",")))


def _parts(secret: str) -> Iterator[str]:
    """Return the parts that are secret themselves: lines of a key, parts of a URL."""
    if "\n" in secret:
        yield from (line.strip() for line in secret.splitlines() if len(line) >= _LONG_LINE)
    if "://" in secret:
        yield from _parts_of_url(secret)


def _parts_of_url(secret: str) -> Iterator[str]:
    """Return a password, a long path and its long segments, and the values of the query."""
    try:
        address = urlsplit(secret)
        password = address.password or ""
    except ValueError:
        return
    yield from (one for one in (password, unquote(password)) if len(one) >= _SHORTEST_CORE)
    segments = (address.path, *address.path.split("/"))
    yield from (one for one in segments if len(one) >= _LONG_SEGMENT)
    yield from (one for _, one in parse_qsl(address.query) if len(one) >= _LONG_VALUE)


def _misread_forms(secret: str) -> Iterator[str]:
    """Return the secret as it appears when its bytes are read in another charset."""
    charsets = _WIDE if secret.isascii() else (*_WIDE, *_NARROW)
    for charset in charsets:
        try:
            raw = secret.encode(charset)
        except UnicodeError:
            continue
        for read in ("utf-8", "latin-1", "cp1252"):
            yield from _if_legible(raw.decode(read, errors="replace"))
    if not secret.isascii():
        yield from _if_legible(secret.encode("ascii", errors="replace").decode())


def _if_legible(form: str) -> Iterator[str]:
    """Yield the form unless most of it is replacement characters, which match any text."""
    if sum(char.isascii() and char.isalnum() for char in form) >= _LEAST_LEGIBLE:
        yield form


def _undo_backslashes(text: str) -> str:
    return _BACKSLASH.sub(_replacement_of_escape, text) if "\\" in text else text


def _undo_quoted_printable(text: str) -> str:
    """Undo the quoted-printable of mail: ``=41`` is a byte, a trailing ``=`` joins two lines."""
    if "=" not in text:
        return text
    return _QUOTED.sub(lambda found: chr(int(found[1], 16)) if found[1] else "", text)


def _replacement_of_escape(match: re.Match[str]) -> str:
    if match[5]:
        return chr(int(match[5], 8))
    code = match[1] or match[2] or match[3] or match[4]
    if not code:
        return _SIGNS.get(match[6], match[6] if match[6] in "\"'\\/`" else match[0])
    number = int(code, 16)
    return chr(number) if number <= 0x10FFFF else match[0]  # noqa: PLR2004 -- Unicode's end


def _undo_other_charset(text: str) -> str:
    """Undo UTF-8 that was read as Latin-1, halves of pairs, and UTF-16 that was read as bytes."""
    text = text.replace("\0", "")
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _undo_utf7(text: str) -> str:
    """Undo UTF-7, which writes all but letters, digits and a few signs as base64."""
    if "+" not in text or not text.isascii():
        return text
    try:
        return text.encode().decode("utf-7")
    except UnicodeError:
        return text


def _is_word(token: str) -> bool:
    """Return whether it is a word or a number: no base64 of a text looks like that."""
    return token.isdigit() or (token.isalpha() and (token[1:].islower() or token.isupper()))


def _from_base64(token: str) -> Iterator[str]:
    padded = token.rstrip("=").replace("-", "+").replace("_", "/")
    if len(padded) % 4 == 1:
        padded = padded[:-1]
    try:
        yield from _texts_of(base64.b64decode(padded + "=" * (-len(padded) % 4)))
    except (binascii.Error, ValueError):
        return


def _from_base32(token: str) -> Iterator[str]:
    # What is left over at the end of a token that was cut is no whole group.
    padded = token[:-1] if len(token) % 8 in {1, 3, 6} else token
    try:
        yield from _texts_of(base64.b32decode(padded + "=" * (-len(padded) % 8), casefold=True))
    except (binascii.Error, ValueError):
        return


def _texts_of(raw: bytes) -> Iterator[str]:
    yield raw.decode("utf-8", errors="replace").replace("\0", "")
    if raw[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        yield raw.decode("utf-16", errors="replace")
