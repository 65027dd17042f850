"""Assembles the identity sources and sign-in methods from the settings. No rules here."""

from api.auth.aws_people import AwsPeople, AwsRules
from api.auth.claims import ClaimRules
from api.auth.groups import ADMINS, GroupMap
from api.auth.key_sets import KeySet
from api.auth.keys import KeysIdentity
from api.auth.sources import gateway, jwt, sts
from api.auth.sources.gateway import GatewayConfig, GatewayIdentity
from api.auth.sources.identities import Authenticator, Identities
from api.auth.sources.jwt import JwtIdentity
from api.auth.sources.sts import StsConfig, StsIdentity
from api.auth.tokens import TokenRules
from api.sessions.alb import AlbConfig, AlbSignIn
from api.sessions.oidc import OidcConfig, OidcSignIn
from api.sessions.sign_in_methods import SignInMethods
from api.stores import PostgresKeyStore, PostgresReplayStore
from db.session import Database
from pao.app import assembly
from pao.clients.aws.directory import AwsDirectory, DirectoryConfig
from pao.clients.aws.signing import default_sts_url
from pao.clients.aws.sts import Sts
from pao.clients.bounded_http import BoundedHttp
from pao.settings import IdentitySource, Settings


def admin_teams(settings: Settings) -> frozenset[str]:
    """Return the teams of admins; that of PAO_ADMIN_GROUPS is one only where they are set."""
    reserved = {ADMINS} if settings.directory.admin_groups else set()
    return frozenset(settings.auth.admin_teams) | reserved


def group_map(settings: Settings) -> GroupMap:
    """Return the mapping from groups to teams."""
    return GroupMap(
        teams={group: tuple(teams) for group, teams in settings.directory.team_map.items()},
        admin_groups=frozenset(settings.directory.admin_groups),
    )


def server_id(settings: Settings) -> str:
    """Return the name by which callers sign for this service."""
    return settings.aws_callers.server_id or settings.web.public_url or ""


def aws_people(settings: Settings) -> AwsPeople | None:
    """Return the directory of AWS users and roles; None where no AWS account is configured."""
    given = settings.aws_callers
    if not given.accounts:
        return None
    directory = AwsDirectory(
        DirectoryConfig(
            region=settings.auth.region,
            role=given.lookup_role,
            identity_store=given.identity_store,
            identity_store_region=given.identity_store_region,
            endpoint=given.endpoint_url,
        )
    )
    rules = AwsRules(
        accounts=frozenset(given.accounts),
        map=group_map(settings),
        team_tag=given.role_team_tag,
        users=given.user_map,
    )
    return AwsPeople(rules, directory)


def identities(
    settings: Settings, http: BoundedHttp, database: Database, people: AwsPeople | None
) -> Identities:
    """Return the identity sources of the API that are switched on."""
    wanted, replays = settings.auth.identity_sources, PostgresReplayStore(database)
    keys = KeysIdentity(
        PostgresKeyStore(database),
        assembly.secret_box(settings),
        replays,
        teams=people.teams if people else None,
        region=settings.auth.region,
        service=settings.auth.service_name,
    )
    others: dict[str, Authenticator] = {}
    if IdentitySource.STS in wanted and people is not None:
        region = settings.auth.region
        url = settings.aws_callers.sts_url or default_sts_url(region)
        config = StsConfig(url=url, region=region, server_id=server_id(settings))
        others[sts.NAME] = StsIdentity(config, Sts(url, http), people, replays)
    secrets = settings.aws_callers.gateway_secrets
    if IdentitySource.GATEWAY in wanted and people is not None and secrets:
        gateway_config = GatewayConfig(proxies=settings.http.trusted_proxies, secrets=secrets)
        others[gateway.NAME] = GatewayIdentity(gateway_config, people)
    if IdentitySource.JWT in wanted:
        others[jwt.NAME] = _jwt(settings, http)
    return Identities(keys=keys, others=others, accepts_issued_keys=IdentitySource.KEYS in wanted)


def _jwt(settings: Settings, http: BoundedHttp) -> JwtIdentity:
    given = settings.jwt

    async def address() -> str:
        return given.jwks_url or ""

    claims = ClaimRules(user=given.user_claim, groups=given.teams_claim, map=group_map(settings))
    rules = TokenRules(issuer=given.issuer or "", audience=given.audience or "")
    return JwtIdentity(rules, KeySet(http, address), claims)


def sign_in_methods(settings: Settings, http: BoundedHttp, database: Database) -> SignInMethods:
    """Return the configured methods to sign in to the pages besides a link."""
    given = settings.sign_in
    claims = ClaimRules(user=given.user_claim, groups=given.teams_claim, map=group_map(settings))
    oidc = alb = None
    if given.oidc_issuer is not None:
        config = OidcConfig(
            issuer=given.oidc_issuer,
            client_id=given.oidc_client_id or "",
            client_secret=given.oidc_client_secret,
            scopes=given.oidc_scopes,
            name=given.oidc_name,
            claims=claims,
        )
        box = assembly.secret_box(settings)
        oidc = OidcSignIn(config, http, box, PostgresReplayStore(database))
    if given.alb_arn is not None:
        alb = AlbSignIn(
            AlbConfig(
                arn=given.alb_arn,
                issuer=given.alb_issuer or "",
                keys_url=given.alb_keys or "",
                claims=claims,
            ),
            http,
        )
    return SignInMethods(oidc=oidc, alb=alb)
