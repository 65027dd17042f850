"""Configuration and outputs of github-workflow."""

import re

from pydantic import Field, field_validator, model_validator

from activities.base import CamelCaseConfig, CamelCaseOutputs
from activities.github.access import RefName, Repository
from pao.core.durations import seconds_of

MOST_INPUTS = 25
_FILE = re.compile(r"[A-Za-z0-9._-]{1,200}\.ya?ml")
_INPUT = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,99}")


class GitHubWorkflowConfig(CamelCaseConfig):
    """Configuration of a github-workflow action; every text may be a template."""

    instance: str | None = Field(default=None, description="Name of a configured GitHub server")
    repository: Repository
    workflow_file: str = Field(
        description="File of the workflow in .github/workflows", examples=["provision.yml"]
    )
    ref: RefName | None = Field(
        default=None,
        description="Branch or tag to run on; default: the default branch",
        examples=["main"],
    )
    inputs: dict[str, str | bool | int | float | None] = Field(
        default_factory=dict,
        max_length=MOST_INPUTS,
        description="Inputs of the workflow; what is null is left out. 25 at most, on an "
        "Enterprise Server 10 with the mark among them",
        examples=[{"namespace": "{{fields.namespace}}"}],
    )
    wait_for_completion: bool = Field(
        default=True,
        description="Whether the action is done when the run has completed, or once it has started",
    )
    timeout: int | str = Field(
        default="1h", description="How long to wait for the run: seconds, or 30s, 5m, 2h, 1d"
    )
    fail_on_workflow_failure: bool = Field(
        default=True, description="Whether a failed run fails the action"
    )
    correlation_input: str = Field(
        default="pao_mark",
        description="Input that gets this action's mark where the workflow declares it; its "
        "run-name should show it, so that a run is found again",
    )

    @field_validator("workflow_file")
    @classmethod
    def _check_file(cls, text: str) -> str:
        name = text.removeprefix(".github/workflows/")
        if not _FILE.fullmatch(name):
            raise ValueError("write the name of a file in .github/workflows, such as deploy.yml")
        return name

    @field_validator("timeout")
    @classmethod
    def _check_timeout(cls, given: int | str) -> int | str:
        if not seconds_of(given):
            raise ValueError("write seconds, or 30s, 5m, 2h, 1d")
        return given

    @field_validator("correlation_input")
    @classmethod
    def _check_correlation_input(cls, text: str) -> str:
        if not _INPUT.fullmatch(text):
            raise ValueError("write the name of an input: letters, digits, _ and -")
        return text

    @model_validator(mode="after")
    def _require_free_mark_input(self) -> "GitHubWorkflowConfig":
        if self.correlation_input in self.inputs:
            raise ValueError(
                f"the input {self.correlation_input} gets the mark; name another one for it "
                "under correlationInput"
            )
        return self

    @property
    def seconds(self) -> float:
        """How many seconds to wait for the run."""
        return seconds_of(self.timeout) or 0.0

    @property
    def texts(self) -> dict[str, str]:
        """The inputs as GitHub expects them."""
        return {name: _to_text(value) for name, value in self.inputs.items() if value is not None}


class GitHubWorkflowOutputs(CamelCaseOutputs):
    """Outputs for later actions."""

    run_id: str | None = Field(default=None, description="Id of the run", examples=["16000000001"])
    url: str | None = Field(default=None, description="Page of the run for people")
    status: str = Field(description="Status of the run, as far as it was waited for")
    conclusion: str | None = Field(
        default=None, description="How the run ended, such as success", examples=["success"]
    )


def _to_text(value: str | bool | float) -> str:  # noqa: FBT001 -- an input of a workflow is no switch of ours
    return str(value).lower() if isinstance(value, bool) else str(value)
