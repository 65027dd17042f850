"""Calls with AWS credentials: they open a session, whose key signs for an hour.

Credentials come from AWS's own chain (environment, profile, `aws sso login`, role of the machine).
The session's key is stored in a private file, so that not every command asks STS.
"""

import hashlib
import json
import os
from collections.abc import Generator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import typer

from pao.app.cli.exits import CliError, ExitCode, from_envelope
from pao.app.cli.profiles import ApiTarget
from pao.clients.aws.signing import HEADER, default_sts_url, sign
from pao.clients.aws.sigv4 import SignableRequest, SigningKey, signature_headers

SESSIONS = "/api/v1/sessions"
# What is signed shortly before the end may arrive after it.
_MARGIN = timedelta(minutes=5)
_CREATED, _UNAUTHORIZED = 201, 401


def add_signature(request: httpx.Request, key: SigningKey, *, service: str, region: str) -> None:
    """Sign a request, its correlation id and Idempotency-Key included.

    They make two otherwise equal calls within one second two signatures, and nobody can put another
    Idempotency-Key into a captured call.
    """
    signed = ("host", "content-type", "x-correlation-id", "idempotency-key")
    headers = {name: request.headers[name] for name in signed if name in request.headers}
    path, _, query = request.url.raw_path.partition(b"?")
    call = SignableRequest(
        method=request.method,
        raw_path=path,
        raw_query=query,
        headers=headers,
        body=request.content,
    )
    request.headers.update(
        signature_headers(call, key, service=service, region=region, at=datetime.now(UTC))
    )


class AwsSession(httpx.Auth):
    """Signs with the key of a session; opens one if there is none, or it has ended."""

    requires_request_body = True
    requires_response_body = True

    def __init__(self, target: ApiTarget, credentials: Any) -> None:
        self._target = target
        self._credentials = credentials
        self._file = _session_file(target.endpoint, credentials.access_key)
        self._key = _read(self._file)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign the request; repeat it with another session if this one is not accepted."""
        was_saved = self._key is not None
        if self._key is None:
            self._key = self._read_session((yield self._session_request()))
        self._sign(request, self._key)
        response = yield request
        if response.status_code == _UNAUTHORIZED and was_saved:
            self._key = self._read_session((yield self._session_request()))
            self._sign(request, self._key)
            yield request

    def _sign(self, request: httpx.Request, key: SigningKey) -> None:
        add_signature(request, key, service=self._target.service, region=self._target.region)

    def _session_request(self) -> httpx.Request:
        target = self._target
        proof = sign(
            self._credentials,
            sts_url=target.sts_url or default_sts_url(target.region),
            region=target.region,
            server_id=target.server_id or target.endpoint,
            method="POST",
            raw_path=SESSIONS.encode(),
            raw_query=b"",
            body=b"",
        )
        return httpx.Request("POST", target.endpoint + SESSIONS, headers={HEADER: proof})

    def _read_session(self, response: httpx.Response) -> SigningKey:
        document = _document(response)
        if response.status_code != _CREATED:
            raise _session_error(response, document)
        key = SigningKey(document["accessKeyId"], document["secretAccessKey"])
        _save(self._file, key, ends=document["expiresAt"])
        return key


def aws_session(target: ApiTarget) -> AwsSession | None:
    """Return the session of AWS credentials; None if there are none.

    Raises ``CliError`` for credentials that cannot be loaded, such as those of an expired SSO
    login.
    """
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415 -- 0.5 s, and most have PAO's keys
    from botocore.session import Session  # noqa: PLC0415

    try:
        found = Session().get_credentials()
        return AwsSession(target, found.get_frozen_credentials()) if found else None
    except BotoCoreError as error:
        raise CliError(
            f"AWS returned no credentials: {error}",
            exit_code=ExitCode.DENIED,
            hint="Run `aws sso login`, or name another profile with AWS_PROFILE.",
        ) from error


def _document(response: httpx.Response) -> dict[str, Any]:
    try:
        found = response.json()
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {}


def _session_error(response: httpx.Response, document: dict[str, Any]) -> CliError:
    error = document.get("error")
    if isinstance(error, dict):
        return from_envelope(
            response.status_code, error, retry_after=response.headers.get("retry-after")
        )
    return CliError(
        f"{response.request.url} answered {response.status_code}: without a PAO session",
        exit_code=ExitCode.DENIED,
        hint="Check that --endpoint points to PAO itself.",
    )


def _session_file(endpoint: str, access_key_id: str) -> Path:
    """Return the file of a session: one for each service and each set of credentials."""
    name = hashlib.sha256(f"{endpoint}\n{access_key_id}".encode()).hexdigest()[:32]
    return Path(typer.get_app_dir("pao")) / "sessions" / f"{name}.json"


def _read(file: Path) -> SigningKey | None:
    try:
        saved = json.loads(file.read_text(encoding="utf-8"))
        if datetime.fromisoformat(saved.pop("ends")) - _MARGIN <= datetime.now(UTC):
            return None
        return SigningKey(**saved)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _save(file: Path, key: SigningKey, *, ends: str) -> None:
    """Store a session for the next command; an error only means that there is none."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for old in file.parent.glob("*.json"):
            if _read(old) is None:
                old.unlink(missing_ok=True)
        # Private from its creation, and moved in place when it is complete.
        temporary = file.with_suffix(f".{os.getpid()}")
        with os.fdopen(
            os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w"
        ) as opened:
            json.dump(asdict(key) | {"ends": ends}, opened)
        temporary.replace(file)
    except OSError:
        return
