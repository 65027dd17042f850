"""Identity headers of a gateway: believed from a trusted proxy that knows the secret only."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from api.auth.raw import RawRequest
from api.auth.signature_errors import Reason, SignatureError
from api.auth.sources.gateway import GatewayConfig, GatewayIdentity
from pao.core.errors import ErrorCode, PaoError
from pao.settings.live_secrets import LiveSecret
from tests.api.auth.sources.office import people
from tests.support.aws import ACCOUNT, Aws

SECRET = "secret-of-the-gateway"
PROXY = "10.1.2.3"
USER = f"arn:aws:iam::{ACCOUNT}:user/gate-dana"
USER_ID = "AIDA" + "G" * 17
Headers = tuple[tuple[bytes, bytes], ...]


@pytest.fixture
def gateway(aws: Aws) -> GatewayIdentity:
    return GatewayIdentity(
        GatewayConfig(proxies=("10.1.0.0/16", "::1"), secrets=(SecretStr(SECRET),)), people(aws)
    )


def headers(**given: str) -> Headers:
    return tuple((name.replace("_", "-").encode(), value.encode()) for name, value in given.items())


def call(*parts: Headers, peer: str | None = PROXY, secret: str = SECRET) -> RawRequest:
    own = headers(x_pao_gateway_secret=secret) if secret else ()
    return RawRequest("GET", b"/", b"", (*own, *(one for part in parts for one in part)), b"", peer)


API_GATEWAY = headers(x_pao_caller_arn=USER, x_pao_caller_id=USER_ID)


def lattice(value: str) -> Headers:
    return headers(x_amzn_lattice_identity=value)


async def test_api_gateway_names_the_caller(gateway: GatewayIdentity) -> None:
    now = datetime.now(UTC)
    caller = await gateway.authenticate(call(API_GATEWAY), now)
    assert (caller.id, caller.arn, caller.source) == (USER_ID, USER, "gateway")
    assert caller.valid_until == now + timedelta(hours=1)


def test_a_proxy_is_known_on_a_socket_for_ipv4_and_ipv6_too(gateway: GatewayIdentity) -> None:
    for peer in (PROXY, f"::ffff:{PROXY}", "::1"):
        gateway.check_head(call(API_GATEWAY, peer=peer), datetime.now(UTC))


async def test_vpc_lattice_names_a_role_and_iam_its_unique_id(
    aws: Aws, gateway: GatewayIdentity
) -> None:
    unique_id = aws.role("behind-lattice", team="team-orders")
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/behind-lattice/build"
    said = lattice(f"Principal={arn}; SessionName=build; Type=AWS_IAM")
    caller = await gateway.authenticate(call(said), datetime.now(UTC))
    assert (caller.id, caller.session, caller.teams) == (unique_id, "build", ("team-orders",))


async def test_vpc_lattice_names_a_user_and_iam_its_unique_id(
    aws: Aws, gateway: GatewayIdentity
) -> None:
    unique_id, _ = aws.user("behind-lattice", "lattice-group")
    said = lattice(f"Principal=arn:aws:iam::{ACCOUNT}:user/behind-lattice; Type=AWS_IAM")
    caller = await gateway.authenticate(call(said), datetime.now(UTC))
    assert (caller.id, caller.session) == (unique_id, None)
    assert caller.teams == (f"arn:aws:iam::{ACCOUNT}:group/lattice-group",)


async def test_without_iam_nobody_is_known_behind_vpc_lattice(gateway: GatewayIdentity) -> None:
    said = lattice(f"Principal={USER}-unknown; Type=AWS_IAM")
    with pytest.raises(PaoError) as caught:
        await gateway.authenticate(call(said), datetime.now(UTC))
    assert caught.value.code is ErrorCode.SERVICE_UNAVAILABLE
    assert caught.value.headers == {"Retry-After": "10"}


FORGED: dict[str, RawRequest] = {
    "without the secret": call(API_GATEWAY, secret=""),
    "with another secret": call(API_GATEWAY, secret="secret-of-somebody"),
    "with two secrets": call(API_GATEWAY, headers(x_pao_gateway_secret=SECRET)),
    "from elsewhere": call(API_GATEWAY, peer="10.2.0.1"),
    "from elsewhere, by both protocols": call(API_GATEWAY, peer="::ffff:10.2.0.1"),
    "from a Unix socket": call(API_GATEWAY, peer=None),
    "from a name": call(API_GATEWAY, peer="localhost"),
    "with two ARNs": call(API_GATEWAY, headers(x_pao_caller_arn=USER)),
    "with two ARNs in one": call(
        headers(x_pao_caller_arn=f"{USER[:-4]}ada,{USER}", x_pao_caller_id=USER_ID)
    ),
    "with two ids": call(API_GATEWAY, headers(x_pao_caller_id=USER_ID)),
    "with an ARN alone": call(headers(x_pao_caller_arn=USER)),
    "with an id alone": call(headers(x_pao_caller_id=USER_ID)),
    "with nothing but the secret": call(),
    "by two gateways at once": call(API_GATEWAY, lattice(f"Principal={USER}; Type=AWS_IAM")),
    "by VPC Lattice twice": call(*[lattice(f"Principal={USER}; Type=AWS_IAM")] * 2),
    "with two principals": call(lattice(f"Principal={USER}; Principal={USER}; Type=AWS_IAM")),
    "unauthenticated at VPC Lattice": call(lattice(f"Principal={USER}; Type=ANONYMOUS")),
    "without a type": call(lattice(f"Principal={USER}")),
    "without a principal": call(lattice("Type=AWS_IAM")),
    "with a huge header": call(lattice(f"Principal={USER}{'x' * 5000}; Type=AWS_IAM")),
    "with an id of another kind": call(headers(x_pao_caller_arn=USER, x_pao_caller_id="dana")),
    "with an id of a role": call(
        headers(x_pao_caller_arn=USER, x_pao_caller_id=f"AROA{'G' * 17}:build")
    ),
    "with the root user": call(
        headers(x_pao_caller_arn=f"arn:aws:iam::{ACCOUNT}:root", x_pao_caller_id=ACCOUNT)
    ),
    "with no ARN": call(headers(x_pao_caller_arn="ada", x_pao_caller_id="ada")),
}


@pytest.mark.parametrize("what", FORGED, ids=str)
async def test_headers_are_not_believed(gateway: GatewayIdentity, what: str) -> None:
    now = datetime.now(UTC)
    with pytest.raises(SignatureError) as caught:
        await gateway.authenticate(FORGED[what], now)
    assert caught.value.reason in {Reason.SIGNATURE_MISMATCH, Reason.MALFORMED}


async def test_a_new_secret_counts_at_once_beside_the_one_before(aws: Aws) -> None:
    current, previous = LiveSecret(SECRET), LiveSecret("the-secret-before-it")
    config = GatewayConfig(proxies=("10.1.0.0/16",), secrets=(current, previous))
    gateway = GatewayIdentity(config, people(aws))
    current.replace("the-secret-after-it")
    for secret in ("the-secret-after-it", "the-secret-before-it"):
        gateway.check_head(call(API_GATEWAY, secret=secret), datetime.now(UTC))
    with pytest.raises(SignatureError):
        gateway.check_head(call(API_GATEWAY, secret=SECRET), datetime.now(UTC))


async def test_another_account_is_not_let_in(gateway: GatewayIdentity) -> None:
    other = f"arn:aws:iam::{'9' * 12}:user/eve"
    with pytest.raises(PaoError) as caught:
        await gateway.authenticate(
            call(headers(x_pao_caller_arn=other, x_pao_caller_id=USER_ID)), datetime.now(UTC)
        )
    assert caught.value.code is ErrorCode.FORBIDDEN
