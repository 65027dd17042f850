"""Removes the state lock of a killed Terraform, if it is certainly ours."""

import socket
from datetime import datetime

from activities.terraform.cli import ModuleCli
from activities.terraform.events import Events, parse_lock

NOWHERE = "terraform_data.pao_no_such_resource"
"""An address that does not exist, for a command that only locks the state."""

_NO_WAIT = "-lock-timeout=0s"


async def remove_left_lock(here: ModuleCli, events: Events, *, since: datetime) -> str:
    """Remove the lock of a command that was killed; return a sentence about it, or nothing.

    It is ours if the command was in the middle of a resource, because then it held the lock, or if
    the lock names this machine and a time since the command began.
    """
    ended, _ = await here.text("untaint", "-no-color", _NO_WAIT, NOWHERE)
    lock = parse_lock(ended.errors)
    if lock is None:
        return ""
    identity = lock.get("id", "")
    if identity and (events.unfinished or _is_of_this_machine(lock, since)):
        ended, _ = await here.text("force-unlock", "-no-color", "-force", identity)
        if ended.code == 0:
            return "Its lock on the state was removed."
    return (
        f"The state is locked ({identity or 'by an unknown lock'}); if nobody is using it, "
        f"unlock it with terraform force-unlock {identity}."
    )


def _is_of_this_machine(lock: dict[str, str], since: datetime) -> bool:
    try:
        created = datetime.fromisoformat(f"{lock.get('created', '')[:19]}+00:00")
    except ValueError:
        return False
    here = lock.get("who", "").endswith(f"@{socket.gethostname()}")
    return here and created >= since.replace(microsecond=0)
