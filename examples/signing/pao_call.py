"""Call PAO with AWS credentials: python pao_call.py METHOD PATH [BODY]."""

import base64
import hashlib
import json
import os
import secrets
import sys
from urllib.parse import urlsplit

import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.session import Session

URL = os.environ["PAO_URL"].rstrip("/")
REGION = os.environ.get("PAO_REGION", "us-east-1")
SERVER_ID = os.environ.get("PAO_SERVER_ID", URL)
STS_URL = os.environ.get("PAO_STS_URL", f"https://sts.{REGION}.amazonaws.com")


def proof(method: str, target: str, body: bytes) -> str:
    """Return the value of X-PAO-STS for one call."""
    path, _, query = target.partition("?")
    parts = (method, path, query, hashlib.sha256(body).hexdigest())
    nonce = secrets.token_urlsafe(24)
    call = AWSRequest(
        "POST",
        STS_URL + "/",
        data=b"Action=GetCallerIdentity&Version=2011-06-15",
        headers={
            "Accept": "application/json",
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
            "Host": urlsplit(STS_URL).netloc,
            "X-PAO-Nonce": nonce,
            "X-PAO-Request-Sha256": hashlib.sha256("\n".join(parts).encode()).hexdigest(),
            "X-PAO-Server-Id": SERVER_ID,
        },
    )
    credentials = Session().get_credentials().get_frozen_credentials()
    SigV4Auth(credentials, "sts", REGION).add_auth(call)
    values = {
        "authorization": call.headers["Authorization"],
        "date": call.headers["X-Amz-Date"],
        "nonce": nonce,
    }
    if credentials.token:
        values["token"] = credentials.token
    return base64.urlsafe_b64encode(json.dumps(values).encode()).rstrip(b"=").decode()


def main(method: str, target: str, body: str = "") -> None:
    """Make the call and print the answer."""
    data = body.encode()
    headers = {"X-PAO-STS": proof(method, target, data), "Content-Type": "application/json"}
    answer = requests.request(method, URL + target, data=data, headers=headers, timeout=60)
    print(answer.text)  # noqa: T201 -- the program's output


if __name__ == "__main__":
    main(*sys.argv[1:])
