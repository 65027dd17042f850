"""The operator's options for action types: one frozen part per type, in its own file."""

from dataclasses import dataclass, field

from activities.options.github import GitHubOptions
from activities.options.terraform import OsAccount, TerraformOptions

__all__ = ["ActionOptions", "GitHubOptions", "OsAccount", "TerraformOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionOptions:
    """The parts by name; a type reads its own.

    ``pages`` is the address of the pages, for links to a request; None if it is not configured.
    """

    github: GitHubOptions = field(default_factory=GitHubOptions)
    terraform: TerraformOptions = field(default_factory=TerraformOptions)
    pages: str | None = None
