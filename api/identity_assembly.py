"""Assembles from the settings whoever may vouch for callers. No rules here."""

from api.auth.claims import ClaimRules
from api.auth.groups import ADMINS, GroupMap
from api.sessions.alb import AlbConfig, AlbSignIn
from api.sessions.oidc import OidcConfig, OidcSignIn
from api.sessions.ways import SignInWays
from api.stores import PostgresReplayStore
from db.session import Database
from pao.app import assembly
from pao.clients.bounded_http import BoundedHttp
from pao.settings import Settings


def admin_teams(settings: Settings) -> frozenset[str]:
    """Return the teams of admins; that of PAO_ADMIN_GROUPS is one only where they are set."""
    reserved = {ADMINS} if settings.directory.admin_groups else set()
    return frozenset(settings.auth.admin_teams) | reserved


def group_map(settings: Settings) -> GroupMap:
    """Return what groups stand for."""
    return GroupMap(
        teams={group: tuple(teams) for group, teams in settings.directory.team_map.items()},
        admin_groups=frozenset(settings.directory.admin_groups),
    )


def sign_in_ways(settings: Settings, http: BoundedHttp, database: Database) -> SignInWays:
    """Return the configured ways to sign in to the pages besides a link."""
    given = settings.sign_in
    claims = ClaimRules(user=given.user_claim, groups=given.teams_claim, map=group_map(settings))
    oidc = alb = None
    if given.oidc_issuer is not None:
        secret = given.oidc_client_secret
        config = OidcConfig(
            issuer=given.oidc_issuer,
            client_id=given.oidc_client_id or "",
            client_secret=secret.get_secret_value() if secret else None,
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
    return SignInWays(oidc=oidc, alb=alb)
