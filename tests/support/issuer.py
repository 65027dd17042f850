"""An OpenID provider, and a load balancer's key server, whose every word a test chooses.

Unlike a real one it says whatever `claims`, `header` and `answers` tell it to. What must hold of a
client is checked as by a real one: a code is good once, for the client and redirect it was made
for, and with the verifier of its PKCE challenge.
"""

import base64
import hashlib
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import uvicorn
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.support.stand_ins import ServerThread

CLIENT = "pao"
CLIENT_SECRET = "client-secret-of-pao"
ALB = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/pao/50dc6c495c0c9188"
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
OTHER_RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_EC_KEY = ec.generate_private_key(ec.SECP256R1())


@dataclass
class _Grant:
    client: str
    redirect_uri: str
    challenge: str
    nonce: str


@dataclass
class Issuer:
    """A running provider; use it as a context manager."""

    claims: dict[str, Any] = field(default_factory=dict)
    """What ID tokens say besides the usual; a value of None leaves a usual claim out."""
    userinfo: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, Response] = field(default_factory=dict)
    """What a path answers instead of what it should."""
    asked: list[str] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    key: Any = RSA_KEY
    algorithm: str = "RS256"

    def __enter__(self) -> Self:
        self._grants: dict[str, _Grant] = {}
        self._serving = ServerThread(self._server)
        self.url = f"http://127.0.0.1:{self._serving.port}"
        return self

    def __exit__(self, *_: object) -> None:
        self._serving.stop()

    def reset(self) -> None:
        """Be a good provider again."""
        for part in (self.claims, self.userinfo, self.header, self.answers):
            part.clear()
        self.asked.clear()
        self.forms.clear()
        self.key, self.algorithm = RSA_KEY, "RS256"

    def authorized(self, address: str) -> dict[str, str]:
        """Sign in at the address that a client leads to; return the query that leads back."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        return {"code": self._grant(asked), "state": asked["state"]}

    def token(self, *, key: Any = None, algorithm: str | None = None, **claims: Any) -> str:
        """Return a token with the usual claims, and these instead or besides; None leaves one out.

        ``key`` None is the published one.
        """
        now = int(time.time())
        usual = {
            "iss": self.url,
            "aud": CLIENT,
            "sub": "248289761001",
            "iat": now,
            "exp": now + 300,
        }
        said = {name: value for name, value in (usual | claims).items() if value is not None}
        algorithm = algorithm or self.algorithm
        header = {"kid": "rsa" if algorithm.startswith("RS") else "ec"} | self.header
        header = {name: value for name, value in header.items() if value is not None}
        return jwt.encode(said, key or self.key, algorithm=algorithm, headers=header)

    def balancer_token(
        self, *, key: Any = EC_KEY, header: dict[str, Any] | None = None, **claims: Any
    ) -> str:
        """Return a token as a load balancer makes it: with its padding left in."""
        top = {
            "typ": "JWT",
            "kid": "key-1",
            "alg": "ES256",
            "iss": self.url,
            "client": CLIENT,
            "signer": ALB,
            "exp": int(time.time()) + 120,
        } | (header or {})
        parts = [padded(json.dumps(one).encode()) for one in (top, claims)]
        text = ".".join(parts)
        signature = ECAlgorithm(ECAlgorithm.SHA256).sign(text.encode(), key)
        return f"{text}.{padded(signature)}"

    def _server(self, port: int) -> uvicorn.Server:
        routes = [
            Route("/sandbox/health", lambda _: Response()),
            Route("/.well-known/openid-configuration", self._answering(self._discovery)),
            Route("/jwks", self._answering(self._jwks)),
            Route("/authorize", self._answering(self._authorize)),
            Route("/token", self._answering(self._redeem), methods=["POST"]),
            Route("/userinfo", self._answering(self._userinfo)),
            Route("/keys/{kid}", self._answering(self._pem)),
        ]
        app = Starlette(routes=routes)
        return uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", ws="none"))

    def _answering(self, usual: Any) -> Any:
        async def answer(request: Request) -> Response:
            path = request.url.path
            self.asked.append(path)
            if path in self.answers:
                return self.answers[path]
            found: Response = await usual(request)
            return found

        return answer

    async def _discovery(self, _request: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "userinfo_endpoint": f"{self.url}/userinfo",
                "jwks_uri": f"{self.url}/jwks",
            }
        )

    async def _jwks(self, _request: Request) -> Response:
        return JSONResponse({"keys": published_keys()})

    async def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        query = urlencode({"code": self._grant(asked), "state": asked["state"]})
        return RedirectResponse(f"{asked['redirect_uri']}?{query}", 302)

    async def _redeem(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        self.forms.append(form)
        login = base64.b64encode(f"{CLIENT}:{CLIENT_SECRET}".encode()).decode()
        grant = self._grants.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            grant is None
            or request.headers.get("authorization") != f"Basic {login}"
            or (form["redirect_uri"], challenge) != (grant.redirect_uri, grant.challenge)
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        claims = {"nonce": grant.nonce} | self.claims
        return JSONResponse({"access_token": "access", "id_token": self.token(**claims)})

    async def _userinfo(self, request: Request) -> Response:
        known = request.headers.get("authorization") == "Bearer access"
        return JSONResponse(self.userinfo) if known else Response(status_code=401)

    async def _pem(self, request: Request) -> Response:
        if request.path_params["kid"] != "key-1":
            return Response("<Error>AccessDenied</Error>", 403)
        pem = EC_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return Response(pem, media_type="application/x-pem-file")

    def _grant(self, asked: dict[str, str]) -> str:
        code = secrets.token_urlsafe(16)
        self._grants[code] = _Grant(
            asked["client_id"], asked["redirect_uri"], asked["code_challenge"], asked["nonce"]
        )
        return code


def published_keys() -> list[dict[str, Any]]:
    """Return the keys that the provider publishes, among them some that are no use to anybody."""
    rsa_key = json.loads(RSAAlgorithm.to_jwk(RSA_KEY.public_key()))
    ec_key = json.loads(ECAlgorithm.to_jwk(EC_KEY.public_key()))
    secret = {"kty": "oct", "kid": "secret", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"}
    return [
        rsa_key | {"kid": "rsa", "use": "sig", "alg": "RS256"},
        ec_key | {"kid": "ec", "use": "sig"},
        rsa_key | {"kid": "for-encryption", "use": "enc"},
        secret,
        {"kty": "RSA", "kid": "broken"},
    ]


def padded(part: bytes) -> str:
    """Return a part of a token with the padding that the standard leaves out."""
    return base64.urlsafe_b64encode(part).decode()
