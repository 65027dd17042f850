"""The identity source `jwt`: a token of an issuer, in the Authorization header."""

from datetime import datetime

from api.auth.claims import ClaimRules, ClaimsError, read_claims
from api.auth.principal import Principal, own_user
from api.auth.raw import RawRequest
from api.auth.signature_errors import malformed
from api.auth.tokens import KeySource, TokenRules, moment, read_header, verify_token
from pao.core.errors import Detail, ErrorCode, PaoError

NAME = "jwt"
SCHEME = b"bearer "
_READING_METHODS = frozenset({"GET", "HEAD"})
_IDEMPOTENCY_KEY = b"idempotency-key"
SESSIONS = b"/api/v1/sessions"


class JwtIdentity:
    """Accepts tokens of one issuer. They are not bound to a call, so changes need a key."""

    def __init__(self, rules: TokenRules, keys: KeySource, claims: ClaimRules) -> None:
        self._rules = rules
        self._keys = keys
        self._claims = claims

    def check_head(self, request: RawRequest, now: datetime) -> None:  # noqa: ARG002 -- as all sources
        """Raise ``SignatureError`` for what can be refused before the body is read."""
        read_header(_token(request))
        _require_idempotency_key(request)

    async def authenticate(self, request: RawRequest, now: datetime) -> Principal:  # noqa: ARG002 -- as above
        """Return the user that the token describes."""
        claims = await verify_token(_token(request), self._rules, self._keys)
        try:
            user = read_claims(claims, self._claims)
        except ClaimsError as error:
            raise malformed(str(error)) from None
        return own_user(
            user.user_id,
            email=user.email,
            teams=user.teams,
            source=NAME,
            access_key_id=None,
            valid_until=moment(claims["exp"]),
        )


def _token(request: RawRequest) -> str:
    values = request.values(b"authorization")
    if len(values) != 1 or not values[0].lower().startswith(SCHEME):
        raise malformed("the Authorization header must be sent once, as Bearer and a token")
    return values[0][len(SCHEME) :].strip().decode("latin-1")


def _require_idempotency_key(request: RawRequest) -> None:
    """Refuse a call that would act again if it were sent again.

    Opening a session is no such call: its key is the caller's alone.
    """
    acts = request.method not in _READING_METHODS and request.raw_path != SESSIONS
    if not acts or request.values(_IDEMPOTENCY_KEY):
        return
    message = (
        "A token does not cover the call that it comes with: send an Idempotency-Key, or sign with "
        "an access key of POST /sessions."
    )
    detail = Detail(field="Idempotency-Key", constraint="required", message=message)
    raise PaoError(ErrorCode.VALIDATION_ERROR, message, details=(detail,), status=400)
