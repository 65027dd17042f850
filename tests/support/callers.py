"""People who call the API in tests: each with an issued key and a client that signs."""

from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from api.auth.keys import NewKey, create_key
from db.repositories.access_keys import AccessKeysRepository, NewAccessKey
from db.session import Database
from pao.runtime.crypto import SecretBox

REGION = "us-east-1"
SERVICE = "execute-api"


@dataclass(frozen=True, slots=True)
class Person:
    """Someone with teams; the name is the caller's id."""

    name: str
    teams: tuple[str, ...] = ()

    @property
    def email(self) -> str:
        return f"{self.name}@example.com"


DANA = Person("dana", ("team-orders",))
OLIVER = Person("oliver", ("team-orders",))
PRIYA = Person("priya", ("team-platform", "team-database", "team-network"))
ADA = Person("ada", ("pao-admins",))
STRANGER = Person("steve", ("team-elsewhere",))
PEOPLE = (DANA, OLIVER, PRIYA, ADA, STRANGER)
"""A developer, her colleague, who owns most sample items, an admin, and nobody in particular."""


@dataclass(frozen=True, slots=True)
class Signature(httpx.Auth):
    """Signs with AWS Signature Version 4, by botocore's own signer.

    A header that nobody reads makes every signature one of a kind: two equal calls within a
    second would otherwise be signed alike, and the second refused as captured.
    """

    key_id: str
    secret: str = field(repr=False)
    region: str = REGION
    service: str = SERVICE
    unique: bool = True
    at: datetime | None = None

    requires_request_body = True

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers.update(self.headers_for(request))
        yield request

    def headers_for(self, request: httpx.Request) -> dict[str, str]:
        """Return the headers that make a request a signed one."""
        headers = {"Host": request.headers["host"]}
        if self.unique:
            headers["X-Test-Nonce"] = str(uuid4())
        signed = AWSRequest(request.method, str(request.url), headers=headers, data=request.content)
        _Signer(self).add_auth(signed)
        return {name: str(value) for name, value in signed.headers.items() if name != "Host"}


class _Signer(SigV4Auth):  # type: ignore[misc]  # botocore has no types.
    """botocore's signer, whose clock may show another moment."""

    def __init__(self, signature: Signature) -> None:
        credentials = Credentials(signature.key_id, signature.secret)
        super().__init__(credentials, signature.service, signature.region)
        self._moment = signature.at or datetime.now(UTC)

    def add_auth(self, request: AWSRequest) -> None:
        request.context["timestamp"] = self._moment.strftime("%Y%m%dT%H%M%SZ")
        self._modify_request_before_signing(request)
        text = self.string_to_sign(request, self.canonical_request(request))
        self._inject_signature_to_request(request, self.signature(text, request))


async def issue_key(database: Database, box: SecretBox, person: Person) -> NewKey:
    """Issue a person one more key."""
    made = create_key(box)
    async with database.unit_of_work() as session:
        await AccessKeysRepository(session).insert(
            NewAccessKey(
                access_key_id=made.access_key_id,
                sealed_secret=made.sealed_secret,
                user_id=person.name,
                email=person.email,
                teams=person.teams,
                created_by="tests",
            )
        )
    return made
