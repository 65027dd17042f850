"""HTTP for deliveries of forges: signed by their own secrets, not by an access key."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from api.responses import documented
from api.services import Services, ServicesDep
from api.webhooks.schemas import ACCEPTED, IGNORED, WebhookAccepted, WebhookIgnored
from api.webhooks.service import Delivery, ForgeKind

router = APIRouter(tags=["catalog"])


def _payload(**example: Any) -> dict[str, Any]:
    """Describe the body: the forge's own document, of which a few keys are read."""
    media = {"schema": {"type": "object"}, "example": example}
    return {"requestBody": {"required": True, "content": {"application/json": media}}}


_BRANCH, _BEFORE = "refs/heads/main", "95790bf891e76fee5e1747ab589903a6a1f80f22"
_AFTER = "da1560886d4f094c3e6c9ef40349f7d38b5d27d7"
_OF_GITHUB = _payload(
    ref=_BRANCH,
    before=_BEFORE,
    after=_AFTER,
    repository={"full_name": "example/platform-catalog"},
)
_OF_GITLAB = _payload(
    object_kind="push",
    ref=_BRANCH,
    before=_BEFORE,
    after=_AFTER,
    project={"path_with_namespace": "example/platform-catalog"},
)
_OF_GIT = _payload(ref=_BRANCH, before=_BEFORE, after=_AFTER)
_ANSWERS = documented({200: IGNORED, 202: ACCEPTED}, 400, 401, 404, 408, 413, 429, 503)


@dataclass(frozen=True, slots=True)
class WebhookDelivery:
    """A received delivery of any forge."""

    request: Request
    response: Response
    services: Services

    async def receive(self, forge: ForgeKind) -> WebhookAccepted | WebhookIgnored:
        """Process it, and return the answer that forges show in their list of deliveries."""
        client = self.request.client
        delivery = Delivery(
            self.request.headers, client.host if client else "", self.request.stream()
        )
        ignored = await self.services.webhooks.receive(forge, delivery)
        if ignored is None:
            return WebhookAccepted()
        self.response.status_code = 200
        return WebhookIgnored(ignored=ignored.why)


async def _delivery(request: Request, response: Response, services: ServicesDep) -> WebhookDelivery:
    return WebhookDelivery(request, response, services)


DeliveredDep = Annotated[WebhookDelivery, Depends(_delivery)]


@router.post(
    "/webhooks/github",
    status_code=202,
    summary="Receive a GitHub delivery",
    responses=_ANSWERS,
    openapi_extra=_OF_GITHUB,
)
async def receive_github_webhook(delivered: DeliveredDep) -> WebhookAccepted | WebhookIgnored:
    """Read the catalog after a push to its branch, and check pull requests into it.

    What a merge queue tests is checked as well. Needs the signature of the webhook instead of a
    caller's: `X-Hub-Signature-256`.
    """
    return await delivered.receive(ForgeKind.GITHUB)


@router.post(
    "/webhooks/gitlab",
    status_code=202,
    summary="Receive a GitLab delivery",
    responses=_ANSWERS,
    openapi_extra=_OF_GITLAB,
)
async def receive_gitlab_webhook(delivered: DeliveredDep) -> WebhookAccepted | WebhookIgnored:
    """Read the catalog after a push to its branch, and check merge requests into it.

    Needs the signature of the webhook instead of a caller's: `webhook-signature`, or
    `X-Gitlab-Token`.
    """
    return await delivered.receive(ForgeKind.GITLAB)


@router.post(
    "/webhooks/git",
    status_code=202,
    summary="Receive a delivery of another forge",
    responses=_ANSWERS,
    openapi_extra=_OF_GIT,
)
async def receive_git_webhook(delivered: DeliveredDep) -> WebhookAccepted | WebhookIgnored:
    """Read the catalog after a push to its branch on Gitea, Forgejo, Gogs or Bitbucket.

    Needs the signature of the webhook instead of a caller's: `X-Hub-Signature-256`,
    `X-Hub-Signature` with SHA-256, `X-Gitea-Signature` or `X-Gogs-Signature`.
    """
    return await delivered.receive(ForgeKind.GIT)
