"""Our own signer of a call, held against botocore's."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from pao.clients.aws.sigv4 import SignableRequest, SigningKey, signature_headers

AT = datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC)
KEY = SigningKey("PAO1", "s3cr3t+/of=the test")
HOST = "https://pao.example.com:8443"


def theirs(call: SignableRequest) -> str:
    """Return the header that botocore signs the call with, at the same second."""
    query = call.raw_query.decode()
    url = HOST + call.raw_path.decode() + (f"?{query}" if query else "")
    headers = {name: value for name, value in call.headers.items() if name != "host"}
    request: Any = AWSRequest(method=call.method, url=url, headers=headers, data=call.body)
    date = f"{AT:%Y%m%dT%H%M%SZ}"
    request.context["timestamp"] = date
    request.headers["X-Amz-Date"] = date
    keys = SimpleNamespace(access_key=KEY.access_key_id, secret_key=KEY.secret_access_key)
    signer = SigV4Auth(keys, "execute-api", "eu-central-1")
    to_sign = signer.string_to_sign(request, signer.canonical_request(request))
    signed = signer.signed_headers(signer.headers_to_sign(request))
    return (
        f"AWS4-HMAC-SHA256 Credential={signer.scope(request)}, SignedHeaders={signed}, "
        f"Signature={signer.signature(to_sign, request)}"
    )


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/api/v1/requests", ""),
        ("/", ""),
        ("/api/v1/requests/", ""),
        ("/api//v1/./requests/../catalog", ""),
        ("/api/v1/items/a%20b%2Fc/%C3%A9~-._", ""),
        ("/api/v1/requests", "limit=50&cursor=a%2Bb%3D%3D"),
        ("/api/v1/requests", "status=failed&status=aborted&q=%C3%A9%20x"),
        ("/api/v1/requests", "b=2&a=1&a-b=0&a=0&empty=&A=9"),
    ],
)
def test_what_is_signed_is_what_botocore_signs(path: str, query: str) -> None:
    for method, body in (("GET", b""), ("POST", '{"name": "é"}'.encode())):
        call = SignableRequest(
            method=method,
            raw_path=path.encode(),
            raw_query=query.encode(),
            headers={
                "host": "pao.example.com:8443",
                "content-type": "application/json",
                "x-correlation-id": "  two   blanks ",
            },
            body=body,
        )
        told = signature_headers(call, KEY, service="execute-api", region="eu-central-1", at=AT)
        assert told["X-Amz-Date"] == "20260131T235959Z"
        assert told["Authorization"] == theirs(call)
