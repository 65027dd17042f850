"""Receives deliveries: limits, signatures, and the signals that follow."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Protocol

from pydantic import SecretStr
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect

from api.ratelimit import RateLimiter, address_caller
from api.webhooks import events
from api.webhooks.events import CatalogBranch, Ignored, Meaning, Proposal, Push
from api.webhooks.signatures import (
    GitHubVerifier,
    GitLabVerifier,
    GitVerifier,
    SignatureVerifier,
)
from pao.clients.temporal import TemporalUnavailableError
from pao.core.errors import ErrorCode, PaoError

# GitHub sends no more; a push that is longer than what is kept is still one that moved the branch.
MOST_BYTES = 25 * 1024 * 1024
KEPT_BYTES = 1024 * 1024
_LONGEST_ID = 200
_PUSHES = frozenset({"push", "Push Hook", "repo:push", "repo:refs_changed"})


class ForgeKind(StrEnum):
    """The kinds of forges that deliver."""

    GITHUB = "github"
    GITLAB = "gitlab"
    GIT = "git"
    """Any other one, of a catalog that is read by git."""


_READ: Mapping[ForgeKind, Callable[[str, Mapping[str, Any], CatalogBranch], Meaning]] = {
    ForgeKind.GITHUB: events.of_github,
    ForgeKind.GITLAB: events.of_gitlab,
    ForgeKind.GIT: events.of_git,
}
_EVENT: Mapping[ForgeKind, Sequence[str]] = {
    ForgeKind.GITHUB: ("x-github-event",),
    ForgeKind.GITLAB: ("x-gitlab-event",),
    ForgeKind.GIT: ("x-gitea-event", "x-gogs-event", "x-event-key", "x-github-event"),
}
_DELIVERY: Mapping[ForgeKind, Sequence[str]] = {
    ForgeKind.GITHUB: ("x-github-delivery",),
    ForgeKind.GITLAB: ("webhook-id", "idempotency-key", "x-gitlab-event-uuid"),
    ForgeKind.GIT: ("x-gitea-delivery", "x-gogs-delivery", "x-request-uuid", "x-github-delivery"),
}


class DeliveryOutcome(StrEnum):
    """The outcome of a delivery, for metrics."""

    ACCEPTED = "accepted"
    IGNORED = "ignored"
    REFUSED = "refused"
    UNSIGNED = "unsigned"
    FAILED = "failed"


class Signals(Protocol):
    """Signals to what reads the catalog; both raise ``TemporalUnavailableError``."""

    async def push(self, push: Push, *, delivery: str | None) -> None:
        """Check the source for a new revision."""
        ...

    async def propose(self, proposal: Proposal) -> None:
        """Check a pull or merge request."""
        ...


class Count(Protocol):
    """Counts deliveries by forge and outcome."""

    def __call__(self, forge: str, outcome: str) -> None:
        """Count one."""
        ...


@dataclass(frozen=True, slots=True)
class ForgeWebhook:
    """One forge's secrets (two while they are rotated), and the catalog's place there, if any."""

    secrets: Sequence[SecretStr] = ()
    place: CatalogBranch | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """What arrived: the head, who sent it, and the body piece by piece."""

    headers: Headers
    address: str
    body: AsyncIterator[bytes]


class WebhookService:
    """Receives deliveries; ``seconds`` is how long a body may take."""

    def __init__(
        self,
        places: Mapping[ForgeKind, ForgeWebhook],
        signals: Signals,
        *,
        limiter: RateLimiter,
        seconds: float,
        count: Count,
    ) -> None:
        self._places = places
        self._signals = signals
        self._limiter = limiter
        self._seconds = seconds
        self._count = count

    async def receive(self, forge: ForgeKind, delivery: Delivery) -> Ignored | None:
        """Take a delivery; returns why nothing follows from it, or None where something does."""
        outcome = DeliveryOutcome.REFUSED
        try:
            meaning = await self._meaning(forge, delivery)
            outcome = DeliveryOutcome.FAILED
            await self._signal(forge, meaning, delivery.headers)
            ignored = isinstance(meaning, Ignored)
            outcome = DeliveryOutcome.IGNORED if ignored else DeliveryOutcome.ACCEPTED
        except PaoError as error:
            if error.code is ErrorCode.UNAUTHORIZED:
                outcome = DeliveryOutcome.UNSIGNED
            raise
        finally:
            self._count(forge.value, outcome.value)
        return meaning if isinstance(meaning, Ignored) else None

    async def _meaning(self, forge: ForgeKind, delivery: Delivery) -> Meaning:
        self._limiter.check(address_caller(delivery.address))
        config = self._places.get(forge, ForgeWebhook())
        if not config.secrets:
            raise PaoError(
                ErrorCode.NOT_FOUND,
                f"No webhook of {forge.value} is set up here: its secret is not configured.",
            )
        _refuse_by_length(delivery.headers)
        body = await self._body(delivery, _verification(forge, delivery.headers, config.secrets))
        _require_json(delivery.headers)
        return _read(forge, delivery.headers, body, config.place)

    async def _body(self, delivery: Delivery, verification: SignatureVerifier) -> bytes | None:
        """Return the body, or None where it is longer than what is kept; refuse a forged one."""
        content, size = bytearray(), 0
        try:
            async with asyncio.timeout(self._seconds):
                async for chunk in delivery.body:
                    size += len(chunk)
                    if size > MOST_BYTES:
                        raise _too_large()
                    verification.update(chunk)
                    if size <= KEPT_BYTES:
                        content += chunk
        except TimeoutError as error:
            raise PaoError(
                ErrorCode.VALIDATION_ERROR,
                "The body did not arrive in time; deliver it again.",
                status=408,
                headers={"Connection": "close"},
            ) from error
        except ClientDisconnect as error:
            text = "The client closed the connection."
            raise PaoError(ErrorCode.VALIDATION_ERROR, text, status=400) from error
        if not verification.is_genuine():
            raise PaoError(
                ErrorCode.UNAUTHORIZED,
                "The delivery is not signed with the secret that is configured here.",
            )
        return bytes(content) if size <= KEPT_BYTES else None

    async def _signal(self, forge: ForgeKind, meaning: Meaning, headers: Headers) -> None:
        try:
            if isinstance(meaning, Push):
                await self._signals.push(meaning, delivery=_delivery_id(forge, headers))
            elif isinstance(meaning, Proposal):
                await self._signals.propose(meaning)
        except TemporalUnavailableError as error:
            raise PaoError(
                ErrorCode.SERVICE_UNAVAILABLE,
                "Temporal does not respond, so the delivery was not processed; deliver it again.",
                headers={"Retry-After": "30"},
            ) from error


def _verification(
    forge: ForgeKind, headers: Headers, secrets: Sequence[SecretStr]
) -> SignatureVerifier:
    if forge is ForgeKind.GITLAB:
        return GitLabVerifier(headers, secrets, datetime.now(UTC))
    return (GitHubVerifier if forge is ForgeKind.GITHUB else GitVerifier)(headers, secrets)


def _read(
    forge: ForgeKind, headers: Headers, body: bytes | None, place: CatalogBranch | None
) -> Meaning:
    event = _first(headers, _EVENT[forge])
    if place is None:
        return Ignored(f"the catalog does not come from {forge.value}")
    if body is None:
        # Only a push is worth a look at the source; whose it was, the look will show.
        long = f"event {event[:50]}, longer than what is read"
        return Push() if event in _PUSHES else Ignored(long)
    payload = _document(body)
    if not isinstance(payload, Mapping):
        return Ignored("the payload is not an object")
    return _READ[forge](event, payload, place)


def _document(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise PaoError(ErrorCode.VALIDATION_ERROR, "The body is not JSON.", status=400) from error


def _require_json(headers: Headers) -> None:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        return
    raise PaoError(
        ErrorCode.VALIDATION_ERROR,
        "The delivery is not JSON; set the webhook's content type to application/json.",
        status=400,
    )


def _delivery_id(forge: ForgeKind, headers: Headers) -> str | None:
    given = _first(headers, _DELIVERY[forge])
    return f"{forge.value}:{given[:_LONGEST_ID]}" if given else None


def _first(headers: Headers, names: Iterable[str]) -> str:
    return next((headers[name] for name in names if headers.get(name)), "")


def _refuse_by_length(headers: Headers) -> None:
    declared = headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > MOST_BYTES:
        raise _too_large()


def _too_large() -> PaoError:
    return PaoError(
        ErrorCode.PAYLOAD_TOO_LARGE,
        f"The delivery is larger than {MOST_BYTES} bytes.",
        headers={"Connection": "close"},
    )
