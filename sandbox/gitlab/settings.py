"""The stand-in's settings: its token, and the length of its pages."""

from dataclasses import dataclass

TOKEN = "glpat-sandboxToken00000000"  # noqa: S105 -- of the stand-in on loopback only
DEFAULT_BRANCH = "main"


@dataclass(frozen=True, slots=True, kw_only=True)
class GitLabSandboxSettings:
    """How the stand-in behaves; ``most_per_page`` is the longest page of a listing."""

    token: str = TOKEN
    most_per_page: int = 100
    rate_limit: int = 2000
