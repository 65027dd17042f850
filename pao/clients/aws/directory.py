"""Groups and roles of callers, from IAM and Identity Center. Read-only, cached.

An answer is valid for five minutes. An older one is not used during an outage, because a membership
that was revoked must not outlive it.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from cachetools import TTLCache

_log = logging.getLogger(__name__)

T = TypeVar("T")

CACHE_SECONDS = 300.0
FAILED_SECONDS = 10.0
_MAX_CACHED = 10_000
# More groups than this are an error: the caller then has none.
MOST_GROUPS = 1_000
_CONNECT_SECONDS, _READ_SECONDS, _TRIES = 2, 3, 2
_SESSION = "pao-identity"
_MOST_THREADS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryConfig:
    """How AWS is queried.

    ``role`` is the name of a role that is assumed in every account.
    ``endpoint`` is for tests and private endpoints; None is AWS's own.
    """

    region: str
    role: str | None = None
    identity_store: str | None = None
    identity_store_region: str | None = None
    endpoint: str | None = None
    access: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A role in IAM."""

    arn: str
    path: str
    unique_id: str
    tags: Mapping[str, str]


class AwsDirectory:
    """Queries IAM and Identity Center; None means no answer. ``clock`` counts seconds."""

    def __init__(
        self, config: DirectoryConfig, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._config = config
        self._cache: TTLCache[tuple[str, ...], Any] = TTLCache(
            _MAX_CACHED, CACHE_SECONDS, timer=clock
        )
        self._failed: TTLCache[tuple[str, ...], bool] = TTLCache(
            _MAX_CACHED, FAILED_SECONDS, timer=clock
        )
        self._pending: dict[tuple[str, ...], asyncio.Task[Any]] = {}
        self._iam_clients: TTLCache[str, Any] = TTLCache(100, 1_800, timer=clock)
        # Separate threads: an AWS that does not answer blocks nothing else.
        self._threads = ThreadPoolExecutor(_MOST_THREADS, thread_name_prefix="aws-directory")

    async def groups_of_user(
        self, account: str, name: str, *, unique_id: str
    ) -> tuple[str, ...] | None:
        """Return the ARNs of an IAM user's groups; None if the name is somebody else's now."""
        key = ("groups", account, name, unique_id)
        return await self._ask(key, lambda: self._list_groups(account, name, unique_id))

    async def user_id(self, account: str, name: str) -> str | None:
        """Return the unique id of an IAM user."""
        return await self._ask(("user", account, name), lambda: self._get_user(account, name))

    async def role(self, account: str, name: str, *, unique_id: str = "") -> Role | None:
        """Return the role of a name.

        With a caller's ``unique_id``, a role that was recreated is read again at once.
        """
        key = ("role", account, name, unique_id)
        return await self._ask(key, lambda: self._get_role(account, name))

    async def groups_of_person(self, user_name: str) -> tuple[str, ...] | None:
        """Return the ids of the groups of a user of Identity Center; empty if no store is set."""
        if self._config.identity_store is None:
            return ()
        return await self._ask(("person", user_name), lambda: self._list_memberships(user_name))

    async def _ask(self, key: tuple[str, ...], call: Callable[[], T]) -> T | None:
        if key in self._cache:
            found: T = self._cache[key]
            return found
        if key in self._failed:
            return None
        # One query at a time for each key, however many wait for its answer.
        if (task := self._pending.get(key)) is None:
            task = self._pending[key] = asyncio.create_task(self._answer(key, call))
        return await asyncio.shield(task)

    async def _answer(self, key: tuple[str, ...], call: Callable[[], T]) -> T | None:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 -- 0.3 s
        from botocore.parsers import ResponseParserError  # noqa: PLC0415 -- as above

        try:
            found = await asyncio.get_running_loop().run_in_executor(self._threads, call)
        except (BotoCoreError, ClientError, ResponseParserError, LookupError, ValueError) as error:
            _log.warning("AWS did not return the %s of a caller: %s", key[0], _reason(error))
            self._failed[key] = True
            return None
        else:
            self._cache[key] = found
            return found
        finally:
            del self._pending[key]

    def _list_groups(self, account: str, name: str, unique_id: str) -> tuple[str, ...]:
        pages = self._iam_client(account).get_paginator("list_groups_for_user")
        found = [group["Arn"] for page in pages.paginate(UserName=name) for group in page["Groups"]]
        # Names are reused, ids are not. Read last: that shows if the name had got another owner
        # before the groups were listed.
        if self._get_user(account, name) != unique_id:
            raise LookupError(f"{unique_id} is no longer the user of its name")
        return _limit_groups(found)

    def _get_user(self, account: str, name: str) -> str:
        return str(self._iam_client(account).get_user(UserName=name)["User"]["UserId"])

    def _get_role(self, account: str, name: str) -> Role:
        found = self._iam_client(account).get_role(RoleName=name)["Role"]
        tags = {tag["Key"]: tag["Value"] for tag in found.get("Tags", ())}
        return Role(arn=found["Arn"], path=found["Path"], unique_id=found["RoleId"], tags=tags)

    def _list_memberships(self, user_name: str) -> tuple[str, ...]:
        region = self._config.identity_store_region or self._config.region
        store = self._client("identitystore", self._config.access, region=region)
        store_id = self._config.identity_store
        wanted = {"AttributePath": "userName", "AttributeValue": user_name}
        person = store.get_user_id(
            IdentityStoreId=store_id, AlternateIdentifier={"UniqueAttribute": wanted}
        )["UserId"]
        pages = store.get_paginator("list_group_memberships_for_member").paginate(
            IdentityStoreId=store_id, MemberId={"UserId": person}
        )
        found = [one["GroupId"] for page in pages for one in page["GroupMemberships"]]
        return _limit_groups(found)

    def _iam_client(self, account: str) -> Any:
        """Return a client of IAM in an account; credentials of an assumed role last an hour."""
        if account not in self._iam_clients:
            access = self._config.access
            if self._config.role is not None:
                access = self._assume_role(account)
            self._iam_clients[account] = self._client("iam", access)
        return self._iam_clients[account]

    def _assume_role(self, account: str) -> Mapping[str, str]:
        partition = "aws-cn" if self._config.region.startswith("cn-") else "aws"
        if self._config.region.startswith("us-gov-"):
            partition = "aws-us-gov"
        given = self._client("sts", self._config.access).assume_role(
            RoleArn=f"arn:{partition}:iam::{account}:role/{self._config.role}",
            RoleSessionName=_SESSION,
        )["Credentials"]
        return {
            "aws_access_key_id": given["AccessKeyId"],
            "aws_secret_access_key": given["SecretAccessKey"],
            "aws_session_token": given["SessionToken"],
        }

    def _client(self, service: str, access: Mapping[str, str], region: str | None = None) -> Any:
        import boto3  # noqa: PLC0415 -- takes 0.3 s to load, and most set-ups need it not
        from botocore.config import Config  # noqa: PLC0415 -- as above

        # A new session: the shared one is not thread-safe.
        return boto3.session.Session().client(
            service,
            region_name=region or self._config.region,
            endpoint_url=self._config.endpoint,
            config=Config(
                connect_timeout=_CONNECT_SECONDS,
                read_timeout=_READ_SECONDS,
                retries={"total_max_attempts": _TRIES},
            ),
            **access,
        )


def _limit_groups(found: list[str]) -> tuple[str, ...]:
    if len(found) > MOST_GROUPS:
        raise LookupError(f"more than {MOST_GROUPS} groups")
    return tuple(found)


def _reason(error: Exception) -> str:
    answer = getattr(error, "response", None)
    if isinstance(answer, dict):
        return str(answer.get("Error", {}).get("Code", "unknown error"))
    return type(error).__name__ if not isinstance(error, LookupError) else str(error)
