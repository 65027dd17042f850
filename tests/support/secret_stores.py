"""Parameter Store and Secrets Manager, as moto serves them over a socket."""

import functools
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

REGION = "eu-central-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
_SIGNED = {name.lower(): value for name, value in CREDENTIALS.items()}


@dataclass(frozen=True, slots=True)
class SecretStores:
    """Both stores at one address; ``prefix`` keeps a test's names apart from those of others."""

    url: str
    prefix: str

    @property
    def environ(self) -> dict[str, str]:
        """What a process of PAO is told of them."""
        return {
            "AWS_ENDPOINT_URL_SSM": self.url,
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": self.url,
            "AWS_REGION": REGION,
        }

    def parameter(self, name: str, value: str) -> str:
        """Put a parameter, or another value of it; return its path."""
        path = f"/{self.prefix}/{name}"
        self._client("ssm").put_parameter(
            Name=path, Value=value, Type="SecureString", Overwrite=True
        )
        return path

    def remove_parameter(self, path: str) -> None:
        """Remove a parameter."""
        self._client("ssm").delete_parameter(Name=path)

    def secret(self, name: str, value: str) -> str:
        """Make a secret; return its ARN."""
        made = self._client("secretsmanager").create_secret(
            Name=f"{self.prefix}/{name}", SecretString=value
        )
        return str(made["ARN"])

    def change_secret(self, arn: str, value: str) -> None:
        """Give a secret another value."""
        self._client("secretsmanager").put_secret_value(SecretId=arn, SecretString=value)

    def _client(self, service: str) -> Any:
        return _client(self.url, service)


@functools.cache
def _client(url: str, service: str) -> Any:
    return boto3.client(service, region_name=REGION, endpoint_url=url, **_SIGNED)


@contextmanager
def secret_stores() -> Iterator[SecretStores]:
    """Serve both for as long as the block runs; boto3 must find ``CREDENTIALS``."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield SecretStores(f"http://{host}:{port}", secrets.token_hex(4))
    finally:
        server.stop()
