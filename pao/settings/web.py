"""The settings of the pages: whether they are served, and where."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from pao.settings.sections import Count, HttpUrl, SettingsSection

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def _check_public_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        msg = f"{url!r} would send sessions in clear text; use https (http is for loopback only)"
        raise ValueError(msg)
    if parts.path or parts.query or parts.fragment:
        msg = f"{url!r} must end after host and port; the pages are served at the root"
        raise ValueError(msg)
    return url


class WebSettings(SettingsSection):
    """The pages for people."""

    enabled: bool = Field(default=True, validation_alias="PAO_WEB")
    public_url: Annotated[HttpUrl, AfterValidator(_check_public_url)] | None = Field(
        None, validation_alias="PAO_PUBLIC_URL"
    )
    rate_limit_per_minute: Count = Field(300, validation_alias="PAO_WEB_RATE_LIMIT")
