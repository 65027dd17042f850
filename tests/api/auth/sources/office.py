"""The identity source sts in front of a running AWS, and calls that are signed for it."""

import base64
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

from api.auth.aws_people import AwsPeople, AwsRules
from api.auth.groups import GroupMap
from api.auth.raw import RawRequest
from api.auth.sources.sts import StsConfig, StsIdentity
from pao.clients.aws.directory import AwsDirectory, DirectoryConfig
from pao.clients.aws.signing import BODY, Proof, request_hash, sign, sts_headers
from pao.clients.aws.sts import Sts
from pao.clients.bounded_http import BoundedHttp
from tests.api.auth.signing import ReplaysInMemory
from tests.support.aws import ACCOUNT, REGION, Aws

SERVER = "https://pao.example.com"
PATH, QUERY = b"/api/v1/requests", b"limit=1"


class Clock:
    """Seconds that a test lets pass."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def directory(aws: Aws, clock: Callable[[], float] = time.monotonic, **config: Any) -> AwsDirectory:
    """Return who asks AWS about callers."""
    given: dict[str, Any] = {
        "region": REGION,
        "endpoint": aws.iam_url,
        "access": aws.admin,
    } | config
    return AwsDirectory(DirectoryConfig(**given), clock=clock)


def people(aws: Aws, asked: AwsDirectory | None = None, **rules: Any) -> AwsPeople:
    """Return who knows the callers of the account."""
    given: dict[str, Any] = {"accounts": frozenset({ACCOUNT}), "map": GroupMap()} | rules
    return AwsPeople(AwsRules(**given), asked or directory(aws))


def office(aws: Aws, http: BoundedHttp, known: AwsPeople | None = None) -> StsIdentity:
    """Return the identity source."""
    config = StsConfig(url=aws.sts_url, region=REGION, server_id=SERVER)
    replays = ReplaysInMemory(datetime.now(UTC))
    return StsIdentity(config, Sts(aws.sts_url, http), known or people(aws), replays)


def request(
    header: bytes | str,
    method: str = "GET",
    *,
    path: bytes = PATH,
    query: bytes = QUERY,
    body: bytes = b"",
) -> RawRequest:
    """Return a call that bears the header."""
    value = header.encode() if isinstance(header, str) else header
    return RawRequest(method, path, query, ((b"x-pao-sts", value),), body)


def sts_header(aws: Aws, credentials: ReadOnlyCredentials, **given: Any) -> str:
    """Return the header of a call, as `pao` writes it."""
    usual = {
        "sts_url": aws.sts_url,
        "region": REGION,
        "server_id": SERVER,
        "method": "GET",
        "raw_path": PATH,
        "raw_query": QUERY,
        "body": b"",
    }
    return sign(credentials, **(usual | given))


class Forger:
    """Signs whatever an attacker may have STS accept, with real credentials."""

    def __init__(self, aws: Aws, credentials: ReadOnlyCredentials) -> None:
        self.aws = aws
        self.credentials = credentials
        self.nonce = "n" * 32

    def proof(  # noqa: PLR0913 -- every argument is one thing that a test varies
        self,
        *,
        method: str = "POST",
        url: str = "",
        body: bytes = BODY,
        headers: dict[str, str] | None = None,
        service: str = "sts",
        region: str = REGION,
        token: str | None = None,
    ) -> Proof:
        """Return a proof of a call to AWS that is another one in some respect."""
        target = url or self.aws.sts_url + "/"
        usual = sts_headers(
            sts_url=target.rstrip("/"),
            date="",
            nonce=self.nonce,
            token=None,
            request_sha256=request_hash("GET", PATH, QUERY, b""),
            server_id=SERVER,
        )
        del usual["X-Amz-Date"]
        given = {name: value for name, value in (usual | (headers or {})).items() if value}
        made = AWSRequest(method, target, headers=given, data=body)
        SigV4Auth(self.credentials, service, region).add_auth(made)
        return Proof(
            authorization=str(made.headers["Authorization"]),
            date=str(made.headers["X-Amz-Date"]),
            nonce=self.nonce,
            token=token or self.credentials.token,
        )

    def document(self, **changes: Any) -> dict[str, Any]:
        """Return what a good header holds, with changes; None leaves a member out."""
        proof = self.proof()
        usual = {
            "authorization": proof.authorization,
            "date": proof.date,
            "nonce": proof.nonce,
            "token": proof.token,
        }
        return {name: value for name, value in (usual | changes).items() if value is not None}


def encode_header(document: object) -> bytes:
    """Return a document as the header carries it."""
    text = document if isinstance(document, str) else json.dumps(document)
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=")
