"""The forms of a path and a query that a signer may have signed, the specification's own first."""

import pytest

from api.auth.canonical import canonical_requests
from api.auth.raw import RawRequest


def forms(path: bytes, query: bytes, method: str = "GET") -> list[tuple[bytes, bytes]]:
    request = RawRequest(method, path, query, (), b"")
    made = canonical_requests(request, signed_headers=(), payload_hash=b"0")
    return [(lines[1], lines[2]) for lines in (one.split(b"\n") for one in made)]


@pytest.mark.parametrize(
    ("path", "signed"),
    [
        (b"/a/b", [b"/a/b"]),
        (b"", [b"/"]),
        (b"/a//b/./c/../", [b"/a/b/", b"/a//b/./c/../"]),
        (b"/c:d", [b"/c%3Ad", b"/c:d"]),
        (b"/caf%C3%A9/c:d", [b"/caf%25C3%25A9/c%3Ad", b"/caf%C3%A9/c:d", b"/caf%C3%A9/c%3Ad"]),
        (b"/a%2Fb:c", [b"/a%252Fb%3Ac", b"/a%2Fb:c", b"/a%2Fb%3Ac"]),
    ],
)
def test_a_path_is_signed_as_specified_as_sent_or_encoded_once(
    path: bytes, signed: list[bytes]
) -> None:
    assert forms(path, b"") == [(one, b"") for one in signed]


@pytest.mark.parametrize(
    ("method", "query", "signed"),
    [
        ("POST", b"b=1&a=1", [b"a=1&b=1", b"b=1&a=1"]),
        ("POST", b"b=1&a=/x:", [b"a=%2Fx%3A&b=1", b"a=/x:&b=1", b"b=1&a=/x:"]),
        ("POST", b"b&a=1=2", [b"a=1%3D2&b=", b"a=1=2&b=", b"b&a=1=2"]),
        ("POST", b"a=b%2Bc+d", [b"a=b%2Bc%20d", b"a=b%2Bc+d"]),
        ("GET", b"a=b%2Bc+d", [b"a=b%2Bc%20d", b"a=b%2Bc+d", b"a=b%252Bc%2Bd"]),
        ("HEAD", b"a=+", [b"a=%20", b"a=+", b"a=%2B"]),
        # Pairs and texts have different orders: "-" comes before "=".
        ("POST", b"a-b=1&a=1", [b"a=1&a-b=1", b"a-b=1&a=1"]),
        ("POST", b"a=1&X-Amz-Signature=0=1&b=2", [b"a=1&b=2"]),
    ],
)
def test_a_query_is_signed_as_specified_or_without_decoding(
    method: str, query: bytes, signed: list[bytes]
) -> None:
    assert forms(b"/", query, method) == [(b"/", one) for one in signed]
