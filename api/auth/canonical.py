"""The byte forms of a request that a SigV4 signer may have signed. No keys, no decisions here.

Real clients differ in two places, so both are offered in more than one form. They differ in
encoding and in the order of parameters only.
"""

from collections.abc import Iterator
from itertools import product
from urllib.parse import quote, unquote_to_bytes

from api.auth.raw import RawRequest

_READING_METHODS = frozenset({"GET", "HEAD"})
_SIGNATURE_PARAMETER = b"x-amz-signature"


def canonical_requests(
    request: RawRequest, *, signed_headers: tuple[bytes, ...], payload_hash: bytes
) -> Iterator[bytes]:
    """Yield each distinct canonical request, the specification's own first."""
    headers = _headers(request, signed_headers)
    method = request.method.encode()
    tail = b"\n".join((headers, b";".join(signed_headers), payload_hash))
    for path, query in product(_paths(request.raw_path), _queries(request)):
        yield b"\n".join((method, path, query, tail))


def _paths(raw_path: bytes) -> list[bytes]:
    """Return the path as specified (tidied, encoded once more), as sent, and re-encoded.

    Debian's curl signs what it sends; httpx-aws-auth encodes the decoded path once, with
    the specification's alphabet, while what it sends leaves more characters as they are.
    """
    forms = (_encode(_tidy(raw_path), safe="/"), raw_path or b"/", _encode_segments_once(raw_path))
    return list(dict.fromkeys(forms))


def _queries(request: RawRequest) -> list[bytes]:
    """Return the query as specified (re-encoded, sorted) and as signers write it without decoding.

    A ``+`` is a space, as it is to the application: were it a plus sign, a signed ``%2B`` could be
    swapped for it. botocore sorts pairs, httpx-aws-auth sorts text, Debian's curl does not sort.
    """
    if not request.raw_query:
        return [b""]
    sent = [pair for pair in request.raw_query.split(b"&") if not _is_signature(pair)]
    pairs = _split(sent)
    forms = [
        _join(sorted((_encode_form(name), _encode_form(value)) for name, value in pairs)),
        _join(sorted(pairs)),
        _join(_split(sorted(sent))),
        b"&".join(sent),
    ]
    if request.method in _READING_METHODS:
        # awscurl encodes what it sends once more, "+" into "%2B" included. Where a request only
        # reads, nothing can be done with two queries that share this form.
        forms.append(_join(sorted((_encode(name), _encode(value)) for name, value in pairs)))
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


def _split(sent: list[bytes]) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, _, value in (pair.partition(b"=") for pair in sent)]


def _join(pairs: list[tuple[bytes, bytes]]) -> bytes:
    return b"&".join(name + b"=" + value for name, value in pairs)


def _is_signature(pair: bytes) -> bool:
    return pair.partition(b"=")[0].lower() == _SIGNATURE_PARAMETER
