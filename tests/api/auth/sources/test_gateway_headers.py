"""What a gateway's headers must look like before AWS is asked about the caller that they name."""

from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from api.auth.aws_people import AwsPeople, AwsRules
from api.auth.groups import GroupMap
from api.auth.raw import RawRequest
from api.auth.signature_errors import Reason, SignatureError
from api.auth.sources.gateway import GatewayConfig, GatewayIdentity, has_gateway_headers
from pao.clients.aws.directory import AwsDirectory, DirectoryConfig

ARN, ID = b"arn:aws:iam::123456789012:user/dana", b"AIDA" + b"D" * 17
SESSION = b"arn:aws:sts::123456789012:assumed-role/build/run=7"
SECRET, OLD_SECRET = b"secret-of-the-gateway", b"the-secret-before-it"
Header = tuple[bytes, bytes]
NAMED: tuple[Header, ...] = ((b"x-pao-caller-arn", ARN), (b"x-pao-caller-id", ID))
TRUSTED: Header = (b"x-pao-gateway-secret", SECRET)


@pytest.fixture(scope="module")
def gateway() -> GatewayIdentity:
    secrets = tuple(SecretStr(one.decode()) for one in (SECRET, OLD_SECRET))
    rules = AwsRules(accounts=frozenset({"123456789012"}), map=GroupMap())
    directory = AwsDirectory(DirectoryConfig(region="eu-west-1"))
    config = GatewayConfig(proxies=("10.1.0.0/16",), secrets=secrets)
    return GatewayIdentity(config, AwsPeople(rules, directory))


def check(gateway: GatewayIdentity, *headers: Header, peer: str | None = "10.1.2.3") -> None:
    gateway.check_head(RawRequest("GET", b"/", b"", headers, b"", peer), datetime.now(UTC))


def lattice(value: bytes) -> Header:
    return (b"x-amzn-lattice-identity", value)


LONGEST = b"Principal=" + b"p" * (4096 - 24) + b";Type=AWS_IAM"
SEVERAL = "the gateway must name exactly one caller"
NOT_BY_IAM = "VPC Lattice has not authenticated the caller by AWS IAM"


@pytest.mark.parametrize(
    "headers",
    [
        (TRUSTED, *NAMED),
        ((TRUSTED[0], OLD_SECRET), *NAMED),
        (TRUSTED, lattice(b"Principal=" + ARN + b"; SessionName=build; Type=AWS_IAM")),
        (TRUSTED, lattice(b"Principal=" + SESSION + b"; SessionName=run=7; Type=AWS_IAM")),
        (TRUSTED, lattice(LONGEST + b" ")),
    ],
    ids=["current secret", "former secret", "lattice", "equals sign", "longest"],
)
def test_a_caller_is_named_by_a_trusted_proxy(
    gateway: GatewayIdentity, headers: tuple[Header, ...]
) -> None:
    check(gateway, *headers)


@pytest.mark.parametrize(
    ("headers", "peer"),
    [
        (NAMED, "10.1.2.3"),
        (((TRUSTED[0], SECRET[:-1]), *NAMED), "10.1.2.3"),
        ((TRUSTED, TRUSTED, *NAMED), "10.1.2.3"),
        ((TRUSTED, *NAMED), "10.2.2.3"),
        ((TRUSTED, *NAMED), None),
    ],
    ids=["no secret", "another secret", "two secrets", "another peer", "no peer"],
)
def test_headers_count_from_the_gateway_only(
    gateway: GatewayIdentity, headers: tuple[Header, ...], peer: str | None
) -> None:
    with pytest.raises(SignatureError, match="are taken from the gateway only") as caught:
        check(gateway, *headers, peer=peer)
    assert caught.value.reason is Reason.SIGNATURE_MISMATCH


@pytest.mark.parametrize(
    ("headers", "problem"),
    [
        ((), SEVERAL),
        (NAMED[:1], SEVERAL),
        (NAMED[1:], SEVERAL),
        ((*NAMED, NAMED[0]), SEVERAL),
        ((*NAMED, NAMED[1]), SEVERAL),
        ((*NAMED, lattice(b"Principal=p;Type=AWS_IAM")), SEVERAL),
        ((NAMED[0], lattice(b"Principal=p;Type=AWS_IAM")), SEVERAL),
        ((NAMED[1], lattice(b"Principal=p;Type=AWS_IAM")), SEVERAL),
        ((lattice(b"Principal=p;Type=AWS_IAM"),) * 2, SEVERAL),
        ((lattice(b"Principal=p; Principal=p; Type=AWS_IAM"),),
         "the gateway's header repeats a name"),
        ((lattice(b"Principal=p; Type=ANONYMOUS"),), NOT_BY_IAM),
        ((lattice(b"Principal=p"),), NOT_BY_IAM),
        ((lattice(b"Principal=; Type=AWS_IAM"),), NOT_BY_IAM),
        ((lattice(b"Type=AWS_IAM"),), NOT_BY_IAM),
        ((lattice(LONGEST + b"  "),), "the gateway's header is too long"),
    ],
    ids=range(15),
)  # fmt: skip
def test_one_caller_is_named_once(
    gateway: GatewayIdentity, headers: tuple[Header, ...], problem: str
) -> None:
    with pytest.raises(SignatureError) as caught:
        check(gateway, TRUSTED, *headers)
    assert (caught.value.reason, caught.value.message) == (Reason.MALFORMED, problem)


@pytest.mark.parametrize("header", [TRUSTED, *NAMED, lattice(b"")], ids=lambda one: one[0].decode())
def test_a_call_with_any_of_its_headers_is_the_gateways(header: Header) -> None:
    assert has_gateway_headers(RawRequest("GET", b"/", b"", (header,), b""))
    assert not has_gateway_headers(RawRequest("GET", b"/", b"", ((header[0] + b"x", b"1"),), b""))
