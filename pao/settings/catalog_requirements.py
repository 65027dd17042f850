"""What the worker needs to read the catalog, by the kind of its source."""

import re
from collections.abc import Iterator

from pao.runtime.files import is_folder
from pao.settings.catalog import CatalogSettings
from pao.settings.sections import GitHubSettings

_GITHUB_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,98}/[A-Za-z0-9._-]{1,100}")
_GITLAB_NAME = re.compile(r"[\w.-]+(?:/[\w.-]+)+")
_GIT_URL = re.compile(r"https?://[^\s@/]+/[^\s?#]+")
_FORM = {
    "github": (_GITHUB_NAME, "owner/name, such as acme/catalog"),
    "gitlab": (_GITLAB_NAME, "the path of the project, such as acme/platform/catalog"),
    "git": (
        _GIT_URL,
        "an address without credentials, such as https://git.example.com/catalog.git",
    ),
}


def missing_catalog(
    catalog: CatalogSettings, github: GitHubSettings | None
) -> Iterator[tuple[str, str]]:
    """Yield variable and message for each setting that keeps the catalog from being read."""
    if catalog.source == "local":
        yield from _missing_local(catalog)
        return
    pattern, form = _FORM[catalog.source]
    if catalog.repository is None:
        yield "CATALOG_REPOSITORY", f"missing; set {form}"
    elif not pattern.fullmatch(catalog.repository):
        yield "CATALOG_REPOSITORY", f"not a repository of this source; use {form}"
    if catalog.path is not None:
        # Otherwise another catalog would be served than the one that was named.
        yield "CATALOG_PATH", "it is for a local catalog; remove it, or set CATALOG_SOURCE=local"
    if catalog.source == "gitlab" and catalog.gitlab_token is None:
        yield "GITLAB_TOKEN", "missing; set a token that may read the repository"
    if catalog.source == "github" and github and not (github.token or github.app_id):
        other = "GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY"
        yield "GITHUB_TOKEN", f"missing; set a token that may read the repository, or {other}"


def _missing_local(catalog: CatalogSettings) -> Iterator[tuple[str, str]]:
    if catalog.repository is not None:
        # Otherwise another catalog would be served than the one that was named.
        text = "it is for a catalog in a repository; set CATALOG_SOURCE as well, or leave it out"
        yield "CATALOG_REPOSITORY", text
    if catalog.ownership != "off":
        yield "CATALOG_OWNERSHIP", "it needs a catalog in a repository; set CATALOG_SOURCE"
    if catalog.path is None:
        yield "CATALOG_PATH", "missing; set the folder of the catalog"
    elif not is_folder(catalog.path):
        yield "CATALOG_PATH", f"there is no folder {str(catalog.path)!r}; correct the path"
