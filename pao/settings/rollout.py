"""The settings of releases: which build this is, and who makes it current."""

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field

from pao.settings.sections import SettingsSection

# Temporal uses build ids in ids of its own workflows.
MOST = 200


class Promotion(StrEnum):
    """Who makes a new build of the workers the one that gets requests."""

    AUTO = "auto"
    MANUAL = "manual"


def _check_build_id(text: str) -> str:
    if len(text) > MOST or not text.isascii() or not text.isprintable() or " " in text:
        msg = f"{text!r} is not a build id; use letters, digits and .:-_, at most {MOST}"
        raise ValueError(msg)
    return text


class RolloutSettings(SettingsSection):
    """Builds of the worker."""

    build_id: Annotated[str, AfterValidator(_check_build_id)] | None = Field(
        None, validation_alias="PAO_BUILD_ID"
    )
    promote: Promotion = Field(Promotion.AUTO, validation_alias="PAO_PROMOTE")
