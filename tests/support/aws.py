"""AWS for tests: moto as a process that checks signatures, and STS in front of it as AWS answers.

moto answers STS in XML whatever is asked for; AWS answers in JSON if it is asked to. The front
passes calls on as they came, so moto checks what the service has built, and puts the answer into
AWS's form. A test may have it answer anything else.
"""

import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
import httpx
import uvicorn
from botocore.credentials import ReadOnlyCredentials
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.stand_ins import ServerThread

ACCOUNT = "123456789012"
OTHER_ACCOUNT = "210987654321"
REGION = "eu-west-1"
READER = "PaoReader"
_TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
    }
)
_ALL = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
    }
)


@dataclass
class Aws:
    """A running AWS: ``url`` is moto's, ``sts_url`` that of STS, ``iam_url`` of all the rest."""

    url: str
    sts_url: str = ""
    iam_url: str = ""
    answer: Response | None = None
    asked: list[dict[str, str]] = field(default_factory=list)
    admin: dict[str, str] = field(default_factory=dict)
    _session: boto3.session.Session = field(default_factory=boto3.session.Session)
    _clients: dict[tuple[str, ...], Any] = field(default_factory=dict)

    def client(self, service: str, access: dict[str, str] | None = None) -> Any:
        """Return a boto3 client, as the administrator or with other credentials."""
        given = access or self.admin
        key = (service, *given.values())
        # To make one, boto3 reads a description of the whole service.
        if key not in self._clients:
            self._clients[key] = self._session.client(
                service, region_name=REGION, endpoint_url=self.url, **given
            )
        return self._clients[key]

    def user(self, name: str, *groups: str, path: str = "/") -> tuple[str, ReadOnlyCredentials]:
        """Make a user in these groups; return its unique id and its credentials."""
        iam = self.client("iam")
        made = iam.create_user(UserName=name, Path=path)["User"]
        for group in groups:
            self.group(group)
            iam.add_user_to_group(GroupName=group, UserName=name)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        credentials = ReadOnlyCredentials(key["AccessKeyId"], key["SecretAccessKey"], None)
        return unique(made["UserId"]), credentials

    def group(self, name: str) -> None:
        """Make a group, unless there is one."""
        iam = self.client("iam")
        try:
            iam.create_group(GroupName=name)
        except iam.exceptions.EntityAlreadyExistsException:
            return

    def role(self, name: str, *, path: str = "/", **tags: str) -> str:
        """Make a role that everybody may assume, and that may do everything; return its id."""
        iam = self.client("iam")
        made = iam.create_role(
            RoleName=name,
            Path=path,
            AssumeRolePolicyDocument=_TRUST,
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        )["Role"]
        iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=_ALL)
        return str(made["RoleId"])

    def assume(
        self, name: str, session: str, *, path: str = "/", account: str = ACCOUNT
    ) -> ReadOnlyCredentials:
        """Return credentials of a session of a role."""
        given = self.client("sts").assume_role(
            RoleArn=f"arn:aws:iam::{account}:role{path}{name}", RoleSessionName=session
        )["Credentials"]
        return ReadOnlyCredentials(
            given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]
        )

    def elsewhere(self) -> dict[str, str]:
        """Return what a session of the other account's reader signs with."""
        given = self.client("sts").assume_role(
            RoleArn=f"arn:aws:iam::{OTHER_ACCOUNT}:role/{READER}", RoleSessionName="admin"
        )["Credentials"]
        return {
            "aws_access_key_id": given["AccessKeyId"],
            "aws_secret_access_key": given["SecretAccessKey"],
            "aws_session_token": given["SessionToken"],
        }

    def make_reader_elsewhere(self) -> None:
        """Create the role by which the other account is read."""
        iam = self.client("iam", self.elsewhere())
        iam.create_role(RoleName=READER, AssumeRolePolicyDocument=_TRUST)
        iam.put_role_policy(RoleName=READER, PolicyName="all", PolicyDocument=_ALL)

    async def serve_sts(self, request: Request) -> Response:
        """Answer STS: as the test says, else as moto does, in AWS's form."""
        body = await request.body()
        self.asked.append(dict(request.headers) | {"method": request.method, "body": body.decode()})
        if self.answer is not None:
            return self.answer
        return _as_aws(await self._moto(request, body))

    async def serve_iam(self, request: Request) -> Response:
        """Answer as moto does, with ids of users as AWS writes them."""
        answer = await self._moto(request, await request.body())
        text = re.sub(r"(?<=<UserId>)\w+", lambda found: unique(found[0]), answer.text)
        kind = answer.headers.get("content-type", "text/xml")
        return Response(text, answer.status_code, {"content-type": kind})

    async def _moto(self, request: Request, body: bytes) -> httpx.Response:
        """Pass a call on as it came, the host included: moto computes the signature over it."""
        async with httpx.AsyncClient(trust_env=False) as moto:
            return await moto.post(self.url, headers=request.headers.raw, content=body)


def _as_aws(answer: httpx.Response) -> Response:
    def found(name: str) -> str:
        match = re.search(f"<{name}>(.*?)</{name}>", answer.text)
        return match[1] if match else ""

    if answer.status_code != 200:
        error = {"Code": found("Code"), "Message": found("Message"), "Type": "Sender"}
        return JSONResponse({"Error": error, "RequestId": "r"}, answer.status_code)
    result = {name: found(name) for name in ("Account", "Arn", "UserId")}
    if ":user/" in result["Arn"]:
        result["UserId"] = unique(result["UserId"])
    return JSONResponse(identity(**result))


def unique(user_id: str) -> str:
    """Return a user's id as AWS writes it; moto's own are of another form."""
    return f"AIDA{user_id.upper()}"


def identity(**result: str) -> dict[str, Any]:
    """Return the document with which AWS answers GetCallerIdentity."""
    return {
        "GetCallerIdentityResponse": {
            "GetCallerIdentityResult": result,
            "ResponseMetadata": {"RequestId": "c6104cbe-af31-11e0-8154-cbc7ccf896c7"},
        }
    }


@contextmanager
def running_aws() -> Iterator[Aws]:
    """Run AWS for as long as the block runs, with an administrator, and signatures checked."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-p", str(port)]
    process = subprocess.Popen(  # noqa: S603 -- a package of our own environment
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    aws = Aws(f"http://127.0.0.1:{port}")
    try:
        _wait_for(aws.url, process)
        # So many calls are not checked: those that make the administrator and the other account.
        httpx.post(f"{aws.url}/moto-api/reset-auth", content=b"6", trust_env=False)
        aws.admin = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
        iam = aws.client("iam")
        iam.create_user(UserName="admin")
        iam.put_user_policy(UserName="admin", PolicyName="all", PolicyDocument=_ALL)
        key = iam.create_access_key(UserName="admin")["AccessKey"]
        aws.make_reader_elsewhere()
        aws.admin = {
            "aws_access_key_id": key["AccessKeyId"],
            "aws_secret_access_key": key["SecretAccessKey"],
        }
        fronts = [_front(aws.serve_sts), _front(aws.serve_iam)]
        aws.sts_url, aws.iam_url = (f"http://127.0.0.1:{front.port}" for front in fronts)
        yield aws
        for front in fronts:
            front.stop()
    finally:
        process.terminate()
        process.wait()


def _front(answer: Callable[[Request], Awaitable[Response]]) -> ServerThread:
    """Run what stands in front of moto."""
    routes = [
        Route("/sandbox/health", lambda _: Response()),
        Route("/{path:path}", answer, methods=["GET", "POST"]),
    ]

    def server(port: int) -> uvicorn.Server:
        app = Starlette(routes=routes)
        return uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", ws="none"))

    return ServerThread(server)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    limit = time.monotonic() + 60
    while time.monotonic() < limit:
        assert process.poll() is None, "moto ended before it served"
        try:
            httpx.get(f"{url}/moto-api/", trust_env=False)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("moto did not start")
