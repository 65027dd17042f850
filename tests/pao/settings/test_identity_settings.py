"""What is said about identity providers is checked before anything starts."""

import pytest

from pao.settings import load_settings
from tests.pao.settings.test_settings import environ, problems_of

__all__ = ["environ"]
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
