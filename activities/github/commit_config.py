"""Configuration and outputs of git-commit."""

import base64
import binascii
from enum import StrEnum
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from activities.base import CamelCaseConfig, CamelCaseOutputs
from activities.config_values import PlacedError, Texts
from activities.github.access import RefName, Repository
from activities.github.automation_files import is_automation_file, is_workflow
from activities.github.paths import check_path, find_clash

MOST_FILES = 100
LARGEST_FILE = 1024 * 1024


class FileOperation(StrEnum):
    """What happens to a file."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class CommitFile(CamelCaseConfig):
    """One file of the commit."""

    path: str = Field(description="Path in the repository", examples=["tenants/shop.yaml"])
    operation: FileOperation = Field(
        default=FileOperation.CREATE,
        description="create fails if the file exists, update and delete if it does not",
    )
    content_template: str | None = Field(
        default=None,
        max_length=LARGEST_FILE * 3 // 2,
        description="Complete content of the file; write values into YAML with yaml() or json()",
    )
    encoding: Literal["utf-8", "base64"] = Field(
        default="utf-8",
        description="With base64 contentTemplate gives the bytes of the file in base64, or is the "
        "value of a file field",
    )
    mode: Literal["file", "executable"] | None = Field(
        default=None,
        description="Whether the file is executable; by default a new file is not, and an updated "
        "one keeps its mode",
    )

    @field_validator("path")
    @classmethod
    def _check_path(cls, path: str) -> str:
        return check_path(path)

    @model_validator(mode="after")
    def _check_content(self) -> Self:
        deletes = self.operation is FileOperation.DELETE
        if deletes and self.content_template is not None:
            raise ValueError("a file that is deleted has no contentTemplate")
        if not deletes and self.content_template is None:
            raise ValueError(f"write the contentTemplate of a file to {self.operation}")
        if deletes and self.mode is not None:
            raise ValueError("a file that is deleted has no mode")
        if self.content is not None and len(self.content) > LARGEST_FILE:
            raise ValueError(f"a file has at most {LARGEST_FILE:,} bytes")
        return self

    @property
    def content(self) -> bytes | None:
        """The bytes of the file; None where it is deleted."""
        if self.content_template is None:
            return None
        if self.encoding == "base64":
            return _decode_base64(self.content_template)
        return self.content_template.encode(errors="replace")


class GitCommitConfig(CamelCaseConfig):
    """Configuration of a git-commit action; every text may be a template."""

    instance: str | None = Field(default=None, description="Name of a configured GitHub server")
    repository: Repository
    branch: RefName = Field(
        description="Branch for the commit. With createPullRequest this may be the base "
        "branch: the commit then goes to a new branch",
        examples=["main"],
    )
    base_branch: RefName | None = Field(
        default=None,
        description="Branch that a pull request goes into, and from which a missing branch is "
        "created; default: the default branch",
    )
    files: tuple[CommitFile, ...] = Field(
        min_length=1, max_length=MOST_FILES, description="Files of the commit"
    )
    commit_message: str = Field(
        min_length=1,
        max_length=10_000,
        description="Commit message; trailers with the request's id are added",
    )
    create_pull_request: bool = Field(
        default=False, description="Whether to open a pull request for the commit"
    )
    title: str | None = Field(
        default=None,
        max_length=256,
        description="Title of the pull request; default: the first line of the message",
    )
    body: str | None = Field(
        default=None, max_length=60_000, description="Text of the pull request, in Markdown"
    )
    reviewers: Texts = Field(
        default=(),
        max_length=15,
        description="Reviewers: user names, and teams as owner/team",
        examples=[["ann", "platform/team-platform"]],
    )
    show_changes: bool = Field(
        default=False,
        description="Whether the review of a request reads and shows what the files hold now: "
        "everyone who may request the item then sees it",
    )
    allow_workflow_files: bool = Field(
        default=False,
        description="Whether files that tools obey automatically may be written: workflows and all "
        "else in .github, CODEOWNERS, .gitmodules, .gitattributes, dependabot, renovate and "
        "other CI's",
    )

    @field_validator("commit_message")
    @classmethod
    def _require_message(cls, text: str) -> str:
        if not text.strip():
            raise ValueError("write a message")
        return text

    @field_validator("reviewers")
    @classmethod
    def _check_reviewers(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        plain = tuple(name.strip().removeprefix("@") for name in names)
        if any(not name or name.count("/") > 1 or " " in name for name in plain):
            raise ValueError("write user names, and teams as owner/team")
        return plain

    @model_validator(mode="after")
    def _check_consistency(self) -> Self:
        for number, file in enumerate(self.files):
            place = ("files", number, "path")
            if is_automation_file(file.path) and not self.allow_workflow_files:
                raise PlacedError(
                    place,
                    f"GitHub, git, a CI service or a bot obeys {file.path} automatically. The item "
                    "does not allow such files: choose another path, or ask its owner "
                    "(allowWorkflowFiles)",
                )
            if clash := find_clash(file.path, [one.path for one in self.files[:number]]):
                raise PlacedError(place, clash)
        if not self.create_pull_request and (self.reviewers or self.title or self.body):
            raise ValueError("title, body and reviewers belong to createPullRequest: true")
        return self

    @property
    def users(self) -> tuple[str, ...]:
        """The reviewers that are users."""
        return tuple(name for name in self.reviewers if "/" not in name)

    @property
    def teams(self) -> tuple[str, ...]:
        """The reviewers that are teams, by their short names."""
        return tuple(name.partition("/")[2] for name in self.reviewers if "/" in name)

    @property
    def writes_workflows(self) -> bool:
        """Whether the commit touches workflows, which needs a separate permission."""
        return any(is_workflow(file.path) for file in self.files)


class GitCommitOutputs(CamelCaseOutputs):
    """Outputs for later actions."""

    commit_sha: str = Field(description="Hash of the commit")
    commit_url: str | None = Field(default=None, description="Page of the commit")
    branch: str = Field(description="Branch that the commit is on", examples=["main"])
    pull_request_number: int | None = Field(default=None, description="Number of the pull request")
    pull_request_url: str | None = Field(default=None, description="Page of the pull request")
    url: str | None = Field(default=None, description="Page of the pull request, else the commit")


def _decode_base64(text: str) -> bytes:
    """Read base64, with or without the head of a data URL; raises ``ValueError``."""
    written = text.partition(",")[2] if text.startswith("data:") else text
    try:
        return base64.b64decode("".join(written.split()), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("contentTemplate is not base64") from None
