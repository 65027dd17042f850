"""Asks the configured JIRA whether it would accept an escalation ticket; creates nothing."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pao.settings import Settings


@dataclass(frozen=True, slots=True)
class EscalationCheck:
    """The problems of escalations, or why they could not be checked."""

    problems: tuple[str, ...] = ()
    unanswered: str | None = None

    @property
    def state(self) -> str:
        """``good``, ``wrong`` or ``unchecked``."""
        if self.unanswered is not None:
            return "unchecked"
        return "wrong" if self.problems else "good"


def check_escalation(settings: "Settings") -> EscalationCheck:
    """Check the escalation settings against the JIRA that they name."""
    from pao.app import assembly  # noqa: PLC0415 -- the clients: 0.3 s
    from pao.clients.jira import JiraError  # noqa: PLC0415 -- as above
    from pao.clients.jira.escalation import escalation_problems  # noqa: PLC0415 -- as above

    instances = assembly.jira_instances(settings)
    target = assembly.escalation_target(settings)
    try:
        client = instances.instance(target.instance, target.project)
        return EscalationCheck(tuple(asyncio.run(escalation_problems(client, target))))
    except LookupError as error:
        return EscalationCheck((f"ESCALATION_INSTANCE: {error}",))
    except JiraError as error:
        return EscalationCheck(unanswered=error.message)
    finally:
        instances.close()
