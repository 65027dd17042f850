import dataclasses
from datetime import UTC, datetime

import pytest

from api.auth.canonical import canonical_requests
from api.auth.sigv4 import ParsedSignature, SigV4Config, matches, parse
from tests.api.auth.botocore_suite import Case, suite

CONFIG = SigV4Config(region="us-east-1", service="service")
NOW = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return suite()


def parse_case(case: Case) -> ParsedSignature:
    return parse(case.request, CONFIG, NOW)


def test_the_suite_is_whole(cases: list[Case]) -> None:
    assert len(cases) == 34


def test_every_case_has_the_specifications_canonical_request_first(cases: list[Case]) -> None:
    for case in cases:
        claim = parse_case(case)
        forms = canonical_requests(
            case.request,
            signed_headers=claim.signed_headers,
            payload_hash=claim.payload_hash.encode(),
        )
        assert next(forms) == case.canonical, case.name


def test_every_case_holds_with_its_secret_only(cases: list[Case]) -> None:
    for case in cases:
        claim = parse_case(case)
        assert matches(claim, case.request, SECRET), case.name
        assert not matches(claim, case.request, SECRET.lower()), case.name


def test_every_case_is_refused_with_another_body(cases: list[Case]) -> None:
    for case in cases:
        changed = dataclasses.replace(case.request, body=case.request.body + b"x")
        assert not matches(parse(changed, CONFIG, NOW), changed, SECRET), case.name
