"""What the operator has configured for action types: one frozen part per type, in its own file."""

from dataclasses import dataclass, field

from activities.options.terraform import TerraformOptions

__all__ = ["ActionOptions", "TerraformOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionOptions:
    """The parts by name; a type reads its own."""

    terraform: TerraformOptions = field(default_factory=TerraformOptions)
