"""Checks that the given encryption keys open what a backup holds."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pao.app.cli.configuration import settings_for
from pao.app.cli.exits import CliError, ExitCode

if TYPE_CHECKING:
    from db.backups import Backup

_HINT = (
    "Set PAO_ENCRYPTION_KEYS to the keys of that time, or use --lost-keys: access keys must then"
    " be issued again, and sealed fields stay unreadable."
)


def check_keys(backup: "Backup", environ: Mapping[str, str]) -> None:
    """Raise ``CliError`` unless every key of the backup is among those given."""
    from api.auth.keys import secret_context  # noqa: PLC0415 -- the service's own weight
    from pao.runtime.crypto import SecretBox, SecretUnreadableError  # noqa: PLC0415 -- as above

    given = settings_for("database", environ).auth.encryption_keys
    if given is None and backup.sealed:
        raise CliError(
            "PAO_ENCRYPTION_KEYS is missing: nothing could be read of what the backup has sealed",
            exit_code=ExitCode.USAGE,
            hint=_HINT,
        )
    for sample in backup.sealed:
        try:
            box = SecretBox(given.get_secret_value() if given else "")
            box.open(sample.token, context=secret_context(sample.access_key_id))
        except SecretUnreadableError as error:
            raise CliError(
                f"These are not the encryption keys of the backup: {error}",
                exit_code=ExitCode.USAGE,
                hint=_HINT,
            ) from error
