"""The base of all parts of a catalog document, and how an id becomes a label."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


def label_from_id(identifier: str) -> str:
    """Make a label from an id: ``instanceName``, ``instance_name`` give ``Instance name``."""
    spaced = "".join(f" {c.lower()}" if c.isupper() else c for c in identifier)
    words = spaced.replace("_", " ").replace("-", " ").split()
    return " ".join(words).capitalize() if words else identifier


class Model(BaseModel):
    """Base of all parts of a catalog document: immutable, camelCase, unknown keys refused."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        populate_by_name=True,
        field_title_generator=lambda name, _: label_from_id(name),
    )


class OpenModel(Model):
    """A part that may hold further constants of the author's choice."""

    model_config = ConfigDict(extra="allow")
