"""What another package imports to add an action type; nothing else of PAO is promised to it.

The package names its action under the entry point group ``pao.actions``; docs/adding-an-action.md
walks through a complete one.
"""

from activities.action_errors import (
    ActionError,
    ActionFailedError,
    IncompleteError,
    NothingToAdoptError,
    OutcomeUnknownError,
    RepeatIsSafeError,
)
from activities.base import Action, ActionConfig, ActionContext, InDoubt
from activities.outgoing import TargetResponse
from catalog.templating import Escaping
from pao.core.errors import ErrorCode
from pao.core.payloads.actions import ActionResult
from pao.core.payloads.failures import PartialResource
from pao.core.payloads.waits import Pending

__all__ = [
    "Action",
    "ActionConfig",
    "ActionContext",
    "ActionError",
    "ActionFailedError",
    "ActionResult",
    "ErrorCode",
    "Escaping",
    "InDoubt",
    "IncompleteError",
    "NothingToAdoptError",
    "OutcomeUnknownError",
    "PartialResource",
    "Pending",
    "RepeatIsSafeError",
    "TargetResponse",
]
