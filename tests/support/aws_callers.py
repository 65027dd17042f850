"""How somebody with AWS credentials calls PAO: by a header, and by the command line."""

import os
import subprocess
import sys
from pathlib import Path

from botocore.credentials import ReadOnlyCredentials

from pao.clients.aws.signing import HEADER, sign
from tests.support.aws import Aws
from tests.support.stack import Stack

SERVER = "https://pao.example.com"
REGION = "us-east-1"


def by_aws(
    aws: Aws,
    credentials: ReadOnlyCredentials,
    method: str = "GET",
    path: str = "/requests",
    body: bytes = b"",
) -> dict[str, str]:
    """Return the header that has AWS vouch for a call."""
    path, _, query = path.partition("?")
    proof = sign(
        credentials,
        sts_url=aws.sts_url,
        region=REGION,
        server_id=SERVER,
        method=method,
        raw_path=f"/api/v1{path}".encode(),
        raw_query=query.encode(),
        body=body,
    )
    return {HEADER: proof}


class AwsCommandLine:
    """`pao` as somebody with AWS credentials runs it."""

    def __init__(
        self, stack: Stack, aws: Aws, credentials: ReadOnlyCredentials, home: Path
    ) -> None:
        self.home = home
        self._environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / ".config"),
            "PAO_URL": stack.url,
            "PAO_SERVER_ID": SERVER,
            "PAO_STS_URL": aws.sts_url,
            "AWS_ACCESS_KEY_ID": credentials.access_key,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def run(self, *args: str, **environ: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pao", *args]
        return subprocess.run(  # noqa: S603 -- our own program
            command,
            env=self._environ | environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def kept(self) -> list[Path]:
        return sorted((self.home / ".config" / "pao" / "sessions").glob("*"))
