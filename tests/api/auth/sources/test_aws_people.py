"""Users, roles and people of Identity Center: which id they have here, and which teams."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.auth.aws_people import AwsPeople, AwsRules
from api.auth.groups import ADMINS, GroupMap
from pao.clients.aws.caller import (
    RESERVED_PATH,
    AwsCaller,
    CallerError,
    CallerKind,
    read_arn,
    read_caller,
)
from pao.clients.aws.directory import AwsDirectory, DirectoryConfig
from pao.core.errors import ErrorCode, PaoError
from tests.api.auth.sources.office import Clock, directory, people
from tests.support.aws import ACCOUNT, OTHER_ACCOUNT, READER, REGION, Aws, unique
from tests.support.stand_ins import ServerThread

SSO = "AWSReservedSSO_Developer_0123456789abcdef"
SSO_PATH = f"{RESERVED_PATH}eu-west-1/"


def user(name: str, account: str = ACCOUNT, unique_id: str = "AIDA" + "U" * 17) -> AwsCaller:
    arn = f"arn:aws:iam::{account}:user/{name}"
    return read_caller(account=account, arn=arn, user_id=unique_id)


def session(name: str, unique_id: str, named: str = "build-1") -> AwsCaller:
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{named}"
    return read_caller(account=ACCOUNT, arn=arn, user_id=f"{unique_id}:{named}")


async def test_groups_of_a_user_count_by_their_arns(aws: Aws) -> None:
    unique_id, _ = aws.user("in-groups", "in-a", "in-b")
    found = await people(aws).teams(user("in-groups", unique_id=unique_id))
    assert found == tuple(f"arn:aws:iam::{ACCOUNT}:group/{name}" for name in ("in-a", "in-b"))


async def test_a_session_of_an_account_that_is_no_longer_configured_is_refused(aws: Aws) -> None:
    with pytest.raises(PaoError) as caught:
        await people(aws, accounts=frozenset({OTHER_ACCOUNT})).teams(user("in-groups"))
    assert caught.value.code is ErrorCode.FORBIDDEN
    assert f"the AWS account {ACCOUNT} are not known" in caught.value.message


@dataclasses.dataclass
class Iam:
    """IAM with one user, as AWS answers: in pages, and with its ids; moto does neither."""

    user_id: str
    pages: int = 1
    each: int = 1
    garbage: str = ""
    asked: list[str] = dataclasses.field(default_factory=list)

    async def answer(self, request: Request) -> Response:
        form = parse_qs((await request.body()).decode())
        [action] = form["Action"]
        self.asked.append(action)
        result = self._user() if action == "GetUser" else self._page(form)
        text = f"<{action}Response><{action}Result>{result}</{action}Result></{action}Response>"
        return Response(self.garbage or text, media_type="text/xml")

    def _user(self) -> str:
        return f"<User><UserName>dana</UserName><UserId>{self.user_id}</UserId></User>"

    def _page(self, form: dict[str, list[str]]) -> str:
        page = int(form.get("Marker", ["0"])[0])
        arns = (f"g{page}-{one}" for one in range(self.each))
        groups = "".join(f"<member><Arn>{arn}</Arn></member>" for arn in arns)
        more = f"<IsTruncated>true</IsTruncated><Marker>{page + 1}</Marker>"
        return f"<Groups>{groups}</Groups>{more if page + 1 < self.pages else ''}"


@contextmanager
def served(iam: Iam) -> Iterator[AwsDirectory]:
    """Run this IAM, and return who asks it."""
    routes = [
        Route("/sandbox/health", lambda _: Response()),
        Route("/", iam.answer, methods=["POST"]),
    ]

    def server(port: int) -> uvicorn.Server:
        app = Starlette(routes=routes)
        return uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", ws="none"))

    running = ServerThread(server)
    access = {"aws_access_key_id": "AKIA", "aws_secret_access_key": "x"}
    endpoint = f"http://127.0.0.1:{running.port}"
    try:
        yield AwsDirectory(DirectoryConfig(region=REGION, endpoint=endpoint, access=access))
    finally:
        running.stop()


@pytest.mark.parametrize(("pages", "found"), [(3, 300), (11, None)], ids=["all", "too many"])
async def test_all_pages_of_groups_are_read_within_bounds(pages: int, found: int | None) -> None:
    with served(Iam("AIDA", pages, 100)) as known:
        groups = await known.groups_of_user(ACCOUNT, "dana", unique_id="AIDA")
    assert (groups if groups is None else len(groups)) == found


async def test_an_answer_that_is_none_of_iam_is_no_answer() -> None:
    with served(Iam("AIDA", garbage="<html><p>Sign in to this network")) as known:
        assert await known.groups_of_user(ACCOUNT, "dana", unique_id="AIDA") is None


async def test_a_session_of_a_user_is_in_no_group_of_the_next_one_of_its_name() -> None:
    former, present = (user("dana", unique_id="AIDA" + letter * 17) for letter in "FP")
    iam = Iam(present.unique_id)
    with served(iam) as asked:
        known = AwsPeople(AwsRules(accounts=frozenset({ACCOUNT}), map=GroupMap()), asked)
        assert await known.teams(former) == ()
        assert await known.teams(present) == ("g0-0",)
    assert iam.asked == ["ListGroupsForUser", "GetUser"] * 2


async def test_an_id_of_an_unknown_form_is_not_the_callers() -> None:
    with served(Iam("u-1")) as asked:
        assert await asked.groups_of_user(ACCOUNT, "dana", unique_id="AIDA") is None


async def test_groups_are_named_by_the_map(aws: Aws) -> None:
    unique_id, _ = aws.user("mapped", "mapped-orders", "mapped-ops")
    arn = f"arn:aws:iam::{ACCOUNT}:group/"
    groups = GroupMap(
        teams={f"{arn}mapped-orders": ("team-orders",)},
        admin_groups=frozenset({f"{arn}mapped-ops"}),
    )
    assert await people(aws, map=groups).teams(user("mapped", unique_id=unique_id)) == (
        "team-orders",
        ADMINS,
    )


async def test_a_role_is_its_unique_id_whatever_its_session_calls_itself(aws: Aws) -> None:
    unique_id = aws.role("deploy", team="team-orders")
    known = people(aws)
    for named in ("build-1", "ada@example.com", "AIDAUUUUUUUUUUUUUUUUU"):
        caller = session("deploy", unique_id, named)
        assert await known.user_id(caller) == unique_id
        assert await known.teams(caller) == ("team-orders",)


async def test_a_role_has_teams_by_its_tag_and_by_configuration_only(aws: Aws) -> None:
    unique_id = aws.role("tagged", path="/ci/", squad="team-a", team="team-b")
    arn = f"arn:aws:iam::{ACCOUNT}:role/ci/tagged"
    caller = session("tagged", unique_id)
    assert await people(aws, team_tag="squad").teams(caller) == ("team-a",)
    configured = GroupMap(teams={arn: ("team-c",)}, admin_groups=frozenset({arn}))
    assert await people(aws, map=configured).teams(caller) == ("team-c", ADMINS, "team-b")
    assert await people(aws, map=GroupMap(), team_tag="none").teams(caller) == ()


@pytest.mark.parametrize("tag", [ADMINS, "two words", ""])
async def test_a_tag_makes_nobody_an_admin(aws: Aws, tag: str) -> None:
    unique_id = aws.role(f"tag-{len(tag)}", team=tag)
    assert await people(aws).teams(session(f"tag-{len(tag)}", unique_id)) == ()


async def test_a_role_that_was_made_anew_is_another_one(aws: Aws) -> None:
    present = session("made-anew", aws.role("made-anew", team="team-orders"))
    former = session("made-anew", "AROA" + "F" * 17)
    known = people(aws)
    assert await known.teams(former) == ()
    assert await known.user_id(former) == former.unique_id
    # What was told about the former one holds up nobody.
    iam = aws.client("iam")
    iam.delete_role_policy(RoleName="made-anew", PolicyName="all")
    iam.delete_role(RoleName="made-anew")
    newest = session("made-anew", aws.role("made-anew", team="team-web"))
    assert await known.teams(newest) == ("team-web",)
    assert await known.teams(present) == ()


async def test_a_person_of_identity_center_is_known_by_name_and_groups(aws: Aws) -> None:
    unique_id = aws.role(SSO, path=SSO_PATH)
    store_id = "d-1234567890"
    store = aws.client("identitystore")
    person = store.create_user(
        IdentityStoreId=store_id,
        UserName="dana@example.com",
        DisplayName="Dana",
        Name={"GivenName": "Dana", "FamilyName": "D"},
    )["UserId"]
    groups = [
        store.create_group(IdentityStoreId=store_id, DisplayName=f"sso-{one}")["GroupId"]
        for one in range(3)
    ]
    for group in groups[:2]:
        store.create_group_membership(
            IdentityStoreId=store_id, GroupId=group, MemberId={"UserId": person}
        )
    role = f"arn:aws:iam::{ACCOUNT}:role{SSO_PATH}{SSO}"
    mapped = GroupMap(
        teams={groups[0]: ("team-orders",), groups[1]: ("team-web",), role: ("team-role",)}
    )
    asked = directory(aws, identity_store=store_id)
    known = people(aws, asked, map=mapped)
    caller = session(SSO, unique_id, "dana@example.com")
    assert await known.user_id(caller) == "dana@example.com"
    assert set(await known.teams(caller)) == {"team-orders", "team-web", "team-role"}
    nobody = session(SSO, unique_id, "nobody@example.com")
    assert await known.teams(nobody) == ("team-role",)


@pytest.mark.parametrize("path", ["/", "/aws-reserved/", "/x/aws-reserved/sso.amazonaws.com/"])
async def test_a_session_name_counts_in_the_reserved_path_only(aws: Aws, path: str) -> None:
    name = f"AWSReservedSSO_Fake_{len(path)}"
    unique_id = aws.role(name, path=path, team="team-x")
    caller = session(name, unique_id, "ada@example.com")
    assert await people(aws).user_id(caller) == unique_id
    assert await people(aws).teams(caller) == ("team-x",)


async def test_without_proof_of_the_path_nobody_is_mistaken_for_another(aws: Aws) -> None:
    caller = session("AWSReservedSSO_Unknown_1", "AROA" + "S" * 17, "dana@example.com")
    with pytest.raises(PaoError) as caught:
        await people(aws).user_id(caller)
    assert caught.value.code is ErrorCode.SERVICE_UNAVAILABLE
    assert caught.value.headers == {"Retry-After": "10"}


async def test_unique_ids_may_stand_for_users_of_other_sources(aws: Aws) -> None:
    caller = user("any")
    assert await people(aws, users={caller.unique_id: "dana"}).user_id(caller) == "dana"
    assert await people(aws).user_id(caller) == caller.unique_id


async def test_an_answer_counts_for_five_minutes_and_not_a_second_longer(aws: Aws) -> None:
    clock = Clock()
    asked = directory(aws, clock)
    caller = user("leaving", unique_id=aws.user("leaving", "left")[0])
    known = people(aws, asked)
    assert await known.teams(caller)
    aws.client("iam").remove_user_from_group(GroupName="left", UserName="leaving")
    clock.now = 299
    assert await known.teams(caller)
    clock.now = 301
    assert await known.teams(caller) == ()


async def test_groups_of_a_user_are_not_those_of_the_next_one_of_its_name(aws: Aws) -> None:
    unique_id, _ = aws.user("made-anew", "is-in")
    known = people(aws)
    assert await known.teams(user("made-anew", unique_id=unique_id))
    assert await known.teams(user("made-anew", unique_id="AIDA" + "N" * 17)) == ()


async def test_no_answer_is_no_team_and_nothing_old_is_kept(aws: Aws) -> None:
    clock = Clock()
    asked = directory(aws, clock)
    unique_id, _ = aws.user("away", "away-group")
    assert await asked.groups_of_user(ACCOUNT, "away", unique_id=unique_id)
    # Whoever asks has lost the right to.
    denied = dataclasses.replace(
        asked._config,
        access={"aws_access_key_id": "AKIAUNKNOWN000000000", "aws_secret_access_key": "x"},
    )
    asked._config, clock.now = denied, 2_000
    assert await asked.groups_of_user(ACCOUNT, "away", unique_id=unique_id) is None
    assert await people(aws, asked).teams(user("away", unique_id=unique_id)) == ()
    asked._config, clock.now = directory(aws)._config, 2_005
    assert await asked.groups_of_user(ACCOUNT, "away", unique_id=unique_id) is None
    clock.now = 4_000
    assert await asked.groups_of_user(ACCOUNT, "away", unique_id=unique_id)


async def test_another_account_is_asked_by_a_role_in_it(aws: Aws) -> None:
    iam = aws.client("iam", aws.elsewhere())
    made = iam.create_user(UserName="over-there")["User"]
    iam.create_group(GroupName="their-group")
    iam.add_user_to_group(GroupName="their-group", UserName="over-there")
    aws.user("over-there", "our-group")
    accounts = frozenset({ACCOUNT, OTHER_ACCOUNT})
    known = people(aws, directory(aws, role=READER), accounts=accounts)
    caller = user("over-there", OTHER_ACCOUNT, unique(made["UserId"]))
    # The user of the same name in our own account is another one.
    assert await known.teams(caller) == (f"arn:aws:iam::{OTHER_ACCOUNT}:group/their-group",)


@pytest.mark.parametrize(
    "arn",
    [
        f"arn:aws:iam::{ACCOUNT}:root",
        f"arn:aws:iam::{ACCOUNT}:role/ci",
        f"arn:aws:sts::{ACCOUNT}:federated-user/dana",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/ci",
        f"arn:aws:iam::{ACCOUNT}:user/",
        "arn:aws:iam::1:user/dana",
        "dana",
        "arn:aws:iam::" + "1" * 3000,
    ],
)
def test_an_arn_of_another_kind_names_no_caller(arn: str) -> None:
    with pytest.raises(CallerError):
        read_arn(arn)


def test_arns_of_all_partitions_are_read() -> None:
    for partition in ("aws", "aws-cn", "aws-us-gov"):
        arn = f"arn:{partition}:iam::{ACCOUNT}:user/path/dana"
        assert read_arn(arn) == (ACCOUNT, CallerKind.USER, "dana", None)
