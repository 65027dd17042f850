"""The byte forms of a request that a SigV4 signer may have signed. No keys and no verdicts here.

Real clients differ in two places, so both are offered in more than one form. None of the forms
changes what a request means to the application: they differ in encoding and in order only.
"""

from collections.abc import Iterator
from itertools import product
from urllib.parse import quote, unquote_to_bytes

from api.auth.raw import RawRequest

_SIGNATURE_PARAMETER = b"x-amz-signature"


def canonical_requests(
    request: RawRequest, *, signed_headers: tuple[bytes, ...], payload_hash: bytes
) -> Iterator[bytes]:
    """Yield each distinct canonical request, the specification's own first."""
    headers = _headers(request, signed_headers)
    method = request.method.encode()
    tail = b"\n".join((headers, b";".join(signed_headers), payload_hash))
    for path, query in product(_paths(request.raw_path), _queries(request.raw_query)):
        yield b"\n".join((method, path, query, tail))


def _paths(raw_path: bytes) -> list[bytes]:
    """Return the path as specified (tidied, encoded once more), as sent, and re-encoded.

    Debian's curl signs what it sends; httpx-aws-auth encodes the decoded path once, with
    the specification's alphabet, while what it sends leaves more characters as they are.
    """
    forms = (_encode(_tidy(raw_path), safe="/"), raw_path or b"/", _encode_segments_once(raw_path))
    return list(dict.fromkeys(forms))


def _queries(raw_query: bytes) -> list[bytes]:
    """Return the query as specified (re-encoded, sorted), sorted as sent, and as sent.

    A ``+`` is a space, as it is to the application: if it were a plus sign here, a signed ``%2B``
    could be swapped for it. botocore sorts but does not re-encode; Debian's curl does neither.
    """
    if not raw_query:
        return [b""]
    sent = [pair for pair in raw_query.split(b"&") if not _is_signature(pair)]
    pairs = [(name, value) for name, _, value in (pair.partition(b"=") for pair in sent)]
    specified = sorted((_encode_form(name), _encode_form(value)) for name, value in pairs)
    forms = (_join(specified), _join(sorted(pairs)), b"&".join(sent))
    return list(dict.fromkeys(forms))


def _headers(request: RawRequest, signed_headers: tuple[bytes, ...]) -> bytes:
    lines = []
    for name in signed_headers:
        values = (b" ".join(value.split()) for value in request.values(name))
        lines.append(name + b":" + b",".join(values) + b"\n")
    return b"".join(lines)


def _tidy(raw_path: bytes) -> bytes:
    """Remove empty and dot segments as RFC 3986 does, but merge slashes too, as AWS does."""
    segments: list[bytes] = []
    for segment in raw_path.split(b"/"):
        if segment == b"..":
            del segments[-1:]
        elif segment not in {b"", b"."}:
            segments.append(segment)
    trailing = b"/" if segments and raw_path.endswith(b"/") else b""
    return b"/" + b"/".join(segments) + trailing


def _encode_segments_once(raw_path: bytes) -> bytes:
    # By segment, so that an encoded slash stays encoded.
    return b"/".join(_encode(unquote_to_bytes(part)) for part in raw_path.split(b"/")) or b"/"


def _encode_form(component: bytes) -> bytes:
    return _encode(unquote_to_bytes(component.replace(b"+", b" ")))


def _encode(raw: bytes, *, safe: str = "") -> bytes:
    return quote(raw, safe=safe).encode()


def _join(pairs: list[tuple[bytes, bytes]]) -> bytes:
    return b"&".join(name + b"=" + value for name, value in pairs)


def _is_signature(pair: bytes) -> bool:
    return pair.partition(b"=")[0].lower() == _SIGNATURE_PARAMETER
