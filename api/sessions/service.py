"""Sessions of the pages: opened by a code from a signed call, or by an identity provider."""

import hashlib
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from api.auth.claims import ClaimedUser
from api.auth.keys import TeamsOf, invalid_reason, principal_now
from api.auth.principal import Principal, own_user
from api.sessions.proofs import is_proven, prove
from api.stores import PostgresKeyStore
from db.repositories.web_sessions import (
    CodeClaims,
    SessionClaims,
    StoredCode,
    StoredSession,
    WebSessionsRepository,
)
from db.session import Database
from pao.core.errors import ErrorCode, PaoError
from pao.runtime.crypto import SecretBox

_log = logging.getLogger(__name__)

CODE_LIFETIME = timedelta(seconds=60)
LIFETIME = timedelta(hours=12)
LINK = "link"
_MOST_USER_AGENT = 200
# Idleness is measured in minutes; a write per page would cost more.
_USE_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class SignIn:
    """A code that opens a session, and when it expires."""

    code: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """An open session: its id, which is no secret, and who is signed in.

    ``lacks_groups`` when the identity provider sent no groups.
    """

    id: str
    caller: Principal
    lacks_groups: bool = False


def _count_nothing(_way: str, _outcome: str) -> None:
    """Count nothing."""


def _accept_all(_source: str) -> bool:
    """Accept every source."""
    return True


@dataclass(frozen=True, slots=True)
class SessionService:
    """Opens sessions, finds them by the browser's token, and ends them.

    Codes and tokens have 256 random bits; Postgres keeps digests of them, and proofs that this
    service has written the rows. A session is read at every page, so its end holds at once, in
    every process; so does that of the key behind it. It ends as well when its source, or the AWS
    account of its user, is no longer configured.
    """

    database: Database
    box: SecretBox
    teams: TeamsOf | None = None
    accepts: Callable[[str], bool] = _accept_all
    count: Callable[[str, str], None] = _count_nothing

    async def sign_in(self, caller: Principal) -> SignIn:
        """Return a new code for the caller's own access key."""
        if caller.access_key_id is None:
            raise PaoError(
                ErrorCode.FORBIDDEN, "Only a call that an access key signed can ask for a code."
            )
        code = secrets.token_urlsafe(32)
        async with self.database.unit_of_work() as session:
            repository = WebSessionsRepository(session)
            claims = CodeClaims(
                code_digest=_digest(code),
                access_key_id=caller.access_key_id,
                expires_at=await repository.moment() + CODE_LIFETIME,
            )
            await repository.add_code(claims, proof=prove(self.box, claims))
        return SignIn(code, claims.expires_at)

    async def find_code_owner(self, code: str) -> Principal | None:
        """Return who would be signed in by a code, or None if it is not good; it stays good."""
        async with self.database.reading() as session:
            stored = await WebSessionsRepository(session).code(_digest(code))
        return await self._code_owner(stored)

    async def open(self, code: str, *, user_agent: str) -> str | None:
        """Use a code up and open a session; return its token, or None if the code is not good."""
        async with self.database.unit_of_work() as session:
            stored = await WebSessionsRepository(session).use_code(_digest(code))
        caller = await self._code_owner(stored)
        if caller is None:
            self.count_refusal(LINK, "code")
            return None
        return await self._open(caller, user_agent=user_agent)

    def count_refusal(self, way: str, reason: str) -> None:
        """Count a sign-in that was refused; ``reason`` is one word of ours."""
        self.count(way, reason)

    async def open_for(self, user: ClaimedUser, *, source: str, user_agent: str) -> str:
        """Open a session for a user of an identity provider; return its token.

        Their teams are those of this moment, for as long as the session lasts.
        """
        caller = own_user(
            user.user_id, email=user.email, teams=user.teams, source=source, access_key_id=None
        )
        return await self._open(caller, user_agent=user_agent, lacks_groups=user.lacks_groups)

    async def find(self, token: str) -> BrowserSession | None:
        """Return the open session of a browser's token, and note that it is used."""
        async with self.database.reading() as session:
            stored = await WebSessionsRepository(session).find(_digest(token))
        caller = await self._caller(stored) if stored else None
        if stored is None or caller is None:
            return None
        if stored.seen_at <= datetime.now(UTC) - _USE_NOTED_EVERY:
            async with self.database.unit_of_work() as unit:
                await WebSessionsRepository(unit).note_use(stored.id)
        return BrowserSession(stored.id, caller, lacks_groups=stored.lacks_groups)

    async def is_open(self, session_id: str) -> bool:
        """Return whether a session is still open, for long-running answers."""
        async with self.database.reading() as session:
            stored = await WebSessionsRepository(session).get(session_id)
        return stored is not None and self._is_valid(stored)

    async def sign_out(self, session: BrowserSession) -> None:
        """End the caller's own session."""
        by = session.caller.id
        async with self.database.unit_of_work() as unit:
            await WebSessionsRepository(unit).end(session.id, by=by, why="signed out")

    async def list(self, *, user_id: str | None) -> list[StoredSession]:
        """Return the open sessions of a user, or of all."""
        async with self.database.reading() as session:
            return await WebSessionsRepository(session).list(user_id=user_id)

    async def end(self, session_id: str, *, caller: Principal, is_admin: bool) -> StoredSession:
        """End a session of the caller's own, or of anybody's for an admin; return what it was.

        Raises ``NOT_FOUND`` for one that is not open, or not the caller's to see.
        """
        async with self.database.unit_of_work() as session:
            repository = WebSessionsRepository(session)
            stored = await repository.get(session_id)
            if stored is None or not (is_admin or stored.user_id == caller.id):
                raise PaoError(ErrorCode.NOT_FOUND, f"There is no open session {session_id}.")
            await repository.end(session_id, by=caller.id, why="ended by its user or an admin")
        return stored

    async def _open(self, caller: Principal, *, user_agent: str, lacks_groups: bool = False) -> str:
        token = secrets.token_urlsafe(32)
        agent = user_agent[:_MOST_USER_AGENT].replace("\x00", "")
        async with self.database.unit_of_work() as session:
            repository = WebSessionsRepository(session)
            claims = SessionClaims(
                id=str(uuid4()),
                token_digest=_digest(token),
                user_id=caller.id,
                email=caller.email,
                teams=caller.teams,
                source=caller.source,
                access_key_id=caller.access_key_id,
                lacks_groups=lacks_groups,
                ends_at=await repository.moment() + LIFETIME,
            )
            await repository.insert(claims, proof=prove(self.box, claims), user_agent=agent)
        self.count(caller.source, "opened")
        return token

    async def _code_owner(self, stored: StoredCode | None) -> Principal | None:
        if stored is None or not is_proven(self.box, stored.claims, stored.proof):
            return None
        return await self._key_owner(stored.claims.access_key_id)

    async def _key_owner(self, key_id: str | None) -> Principal | None:
        stored = await PostgresKeyStore(self.database).find(key_id) if key_id else None
        if stored is None or invalid_reason(stored, datetime.now(UTC)) is not None:
            return None
        if not self.accepts(stored.source):
            return None
        try:
            return await principal_now(stored, self.teams, source=LINK)
        except PaoError as error:
            if error.code is not ErrorCode.FORBIDDEN:
                raise
            return None

    def _is_valid(self, stored: StoredSession) -> bool:
        if is_proven(self.box, stored.claims, stored.proof):
            return self.accepts(stored.vouched_by)
        _log.warning(
            "session %s has no valid proof: it was not opened with the configured encryption keys",
            stored.id,
        )
        return False

    async def _caller(self, stored: StoredSession) -> Principal | None:
        if not self._is_valid(stored):
            return None
        if stored.is_of_aws:
            return await self._key_owner(stored.access_key_id)
        return own_user(
            stored.user_id,
            email=stored.email,
            teams=stored.teams,
            source=stored.source,
            access_key_id=stored.access_key_id,
        )


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode(errors="replace")).digest()
