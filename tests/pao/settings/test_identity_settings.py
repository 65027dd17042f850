"""What is said about identity providers is checked before anything starts."""

import pytest

from pao.settings import load_settings
from tests.pao.settings.environments import problems_of

ARN = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/pao/50dc6c495c0c9188"
ISSUER = {"PAO_OIDC_ISSUER": "https://login.example.com/", "PAO_OIDC_CLIENT_ID": "pao"}


def test_groups_stand_for_a_team_or_several(environ: dict[str, str]) -> None:
    given = {"PAO_TEAM_MAP": '{"Ops DE": "team-ops", "0f9e": ["team-a", "team-b"]}'}
    settings = load_settings(environ | given, process="api")
    assert settings.directory.team_map == {"Ops DE": ["team-ops"], "0f9e": ["team-a", "team-b"]}


@pytest.mark.parametrize(
    "written", ["team-ops", "[]", '{"a": 1}', '{"a": []}', '{"a": "two words"}', '{"a": [["b"]]}']
)
def test_a_wrong_team_map_is_named(environ: dict[str, str], written: str) -> None:
    [problem] = problems_of(environ | {"PAO_TEAM_MAP": written})
    assert problem.startswith("PAO_TEAM_MAP: ")


def test_an_issuer_is_kept_letter_by_letter(environ: dict[str, str]) -> None:
    settings = load_settings(environ | ISSUER, process="api")
    assert settings.sign_in.oidc_issuer == "https://login.example.com/"


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"PAO_OIDC_ISSUER": "http://login.example.com"}, "PAO_OIDC_ISSUER"),
        ({"PAO_OIDC_ISSUER": "https://login.example.com"}, "PAO_OIDC_CLIENT_ID"),
        ({"PAO_OIDC_CLIENT_ID": "pao"}, "PAO_OIDC_ISSUER"),
        ({"PAO_ALB_ARN": ARN}, "PAO_ALB_ISSUER"),
        ({"PAO_ALB_ARN": "arn:aws:iam::1:role/x"}, "PAO_ALB_ARN"),
        ({"PAO_ALB_KEYS_URL": "http://keys.example.com"}, "PAO_ALB_KEYS_URL"),
        ({"PAO_IDENTITY_CA_BUNDLE": "/nowhere/ca.pem"}, "PAO_IDENTITY_CA_BUNDLE"),
    ],
    ids=str,
)
def test_what_cannot_work_is_named(
    environ: dict[str, str], given: dict[str, str], name: str
) -> None:
    [problem] = [one for one in problems_of(environ | given) if one.startswith(f"{name}: ")]
    assert "PAO" in problem


AWS = {"PAO_AWS_ACCOUNTS": "123456789012"}
JWT = {
    "PAO_IDENTITY_SOURCES": "jwt",
    "PAO_JWT_ISSUER": "https://issuer.example.com",
    "PAO_JWT_AUDIENCE": "pao",
    "PAO_JWT_JWKS_URL": "https://issuer.example.com/jwks",
}
GATEWAY = AWS | {
    "PAO_IDENTITY_SOURCES": "gateway",
    "PAO_GATEWAY_SECRET": "sixteen-or-more-characters",
    "PAO_TRUSTED_PROXIES": "10.0.0.0/24",
}
STS = AWS | {"PAO_IDENTITY_SOURCES": "keys,sts", "PAO_SERVER_ID": "pao"}


@pytest.mark.parametrize(
    ("given", "needed"),
    [
        (STS, ("PAO_AWS_ACCOUNTS", "PAO_SERVER_ID")),
        (GATEWAY, ("PAO_AWS_ACCOUNTS", "PAO_GATEWAY_SECRET", "PAO_TRUSTED_PROXIES")),
        (JWT, ("PAO_JWT_ISSUER", "PAO_JWT_AUDIENCE", "PAO_JWT_JWKS_URL")),
    ],
    ids=["sts", "gateway", "jwt"],
)
def test_a_source_does_not_start_without_what_it_stands_on(
    environ: dict[str, str], given: dict[str, str], needed: tuple[str, ...]
) -> None:
    load_settings(environ | given, process="api")
    for name in needed:
        rest = {key: value for key, value in given.items() if key != name}
        assert [one.partition(":")[0] for one in problems_of(environ | rest)] == [name]


def test_an_address_for_browsers_is_a_name_to_sign_for(environ: dict[str, str]) -> None:
    given = {name: value for name, value in STS.items() if name != "PAO_SERVER_ID"}
    load_settings(environ | given | {"PAO_PUBLIC_URL": "https://pao.example.com"}, process="api")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PAO_AWS_ACCOUNTS", "12345678901"),
        ("PAO_GATEWAY_SECRET", "short"),
        ("PAO_USER_MAP", '{"AIDA1": ["dana"]}'),
        ("PAO_IDENTITY_STORE_ID", "store"),
        ("PAO_STS_URL", "http://sts.example.com"),
    ],
)
def test_what_is_wrong_about_aws_is_named(environ: dict[str, str], name: str, value: str) -> None:
    [problem] = problems_of(environ | {name: value})
    assert problem.startswith(f"{name}: ")


def test_the_balancers_keys_are_those_of_its_region(environ: dict[str, str]) -> None:
    balancer = environ | {"PAO_ALB_ARN": ARN, "PAO_ALB_ISSUER": "https://login.example.com"}
    keys = load_settings(balancer, process="api").sign_in.alb_keys
    assert keys == "https://public-keys.auth.elb.eu-west-1.amazonaws.com"
    elsewhere = balancer | {"PAO_ALB_KEYS_URL": "https://s3-us-gov-west-1.amazonaws.com/keys/"}
    keys = load_settings(elsewhere, process="api").sign_in.alb_keys
    assert keys == "https://s3-us-gov-west-1.amazonaws.com/keys"


def test_the_clients_secret_is_one(environ: dict[str, str]) -> None:
    settings = load_settings(environ | ISSUER | {"PAO_OIDC_CLIENT_SECRET": "s3cr3t"}, process="api")
    assert "s3cr3t" not in str(settings.masked())
    assert "s3cr3t" in settings.secret_values()
