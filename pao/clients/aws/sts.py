"""Asks STS who signed a call; the request is rebuilt from our own values, never relayed."""

import re
from collections.abc import Mapping
from typing import Any

from pao.clients.aws.caller import AwsCaller, CallerError, read_caller
from pao.clients.aws.signing import BODY
from pao.clients.bounded_http import BoundedAnswer, BoundedHttp, UnusableAnswerError

LARGEST_ANSWER = 16 * 1024
_OK, _REFUSED, _TOO_MANY, _BROKEN = 200, 400, 429, 500
_CODE = re.compile(r"[A-Za-z]{1,60}")
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
# Temporary refusals, which say nothing about the signature.
_BUSY = frozenset({"Throttling", "ThrottlingException", "RequestLimitExceeded"})


class StsRefusedError(Exception):
    """STS refused the signature; ``expired`` if its credentials or its time have expired."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
        self.expired = code in _EXPIRED


class Sts:
    """One configured STS endpoint."""

    def __init__(self, url: str, http: BoundedHttp) -> None:
        self._url = url.rstrip("/") + "/"
        self._http = http

    async def identify(self, headers: Mapping[str, str]) -> AwsCaller:
        """Return who signed these headers over a `GetCallerIdentity`.

        Raises ``StsRefusedError`` if STS refuses the signature, and ``UnusableAnswerError`` if it
        does not answer, or answers with anything but the document of this call.
        """
        answer = await self._http.send(
            "POST", self._url, most=LARGEST_ANSWER, headers=headers, content=BODY
        )
        if _REFUSED <= answer.status < _BROKEN:
            code = _error_code(answer)
            if answer.status == _TOO_MANY or code in _BUSY:
                raise UnusableAnswerError(f"STS throttles our calls ({code})")
            raise StsRefusedError(code)
        if answer.status != _OK:
            raise UnusableAnswerError(f"STS answered {answer.status}")
        return _read_identity(answer.json())


def _read_identity(document: Any) -> AwsCaller:
    response = _require_members(document, {"GetCallerIdentityResponse"})[
        "GetCallerIdentityResponse"
    ]
    parts = _require_members(response, {"GetCallerIdentityResult", "ResponseMetadata"})
    _require_members(parts["ResponseMetadata"], {"RequestId"})
    found = _require_members(parts["GetCallerIdentityResult"], {"Account", "Arn", "UserId"})
    if not all(isinstance(value, str) for value in found.values()):
        raise UnusableAnswerError("STS answered with values that are not strings")
    try:
        return read_caller(account=found["Account"], arn=found["Arn"], user_id=found["UserId"])
    except CallerError as error:
        raise UnusableAnswerError(
            f"the identity in the answer of STS is not usable: {error}"
        ) from error


def _require_members(value: Any, names: set[str]) -> Mapping[str, Any]:
    if not isinstance(value, dict) or value.keys() != names:
        raise UnusableAnswerError("STS did not answer with the document of GetCallerIdentity")
    return value


def _error_code(answer: BoundedAnswer) -> str:
    """Return the code of an error, for the log; "Refused" without a valid one."""
    try:
        document: Any = answer.json()
        code = document["Error"]["Code"]
    except (UnusableAnswerError, KeyError, TypeError):
        return "Refused"
    return code if isinstance(code, str) and _CODE.fullmatch(code) else "Refused"
