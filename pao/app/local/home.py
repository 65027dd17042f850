"""The state folder of `pao up`: its contents, its lock, its removal."""

import base64
import fcntl
import json
import os
import pwd
import secrets
import shlex
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from pao.app.local.env_file import quote
from pao.app.local.postgres_files import (
    delete_data_aside,
    delete_files,
    move_data_aside,
    restore_data,
)
from pao.app.local.processes import LocalError, write_private

_OTHERS = 0o077
_REPLACED, _DONE, _COMPLETE = "replaced", "replaced.done", "whole"
"""The folders of a state while and after it is replaced; the mark of a complete one."""


class HomeInUseError(LocalError):
    """Another `pao up` runs on the same state folder."""


@dataclass(frozen=True, slots=True)
class LocalKey:
    """An access key that was created here, so that later starts use the same one."""

    access_key_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Secrets:
    """The secrets that were generated at the first start; ``keys`` has an access key per user."""

    encryption_keys: str = field(repr=False)
    keys: Mapping[str, LocalKey] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Home:
    """The paths of one state folder."""

    folder: Path

    @property
    def postgres(self) -> Path:
        """The folder of the database."""
        return self.folder / "postgres"

    @property
    def temporal_database(self) -> Path:
        """The file of Temporal's workflows."""
        return self.folder / "temporal.db"

    @property
    def jira(self) -> Path:
        """The folder of the JIRA stand-in."""
        return self.folder / "jira"

    @property
    def github(self) -> Path:
        """The folder of the GitHub stand-in."""
        return self.folder / "github"

    @property
    def terraform(self) -> Path:
        """The folder of Terraform's states."""
        return self.folder / "terraform"

    @property
    def logs(self) -> Path:
        """The folder of the processes' logs, where they are written to files."""
        return self.folder / "logs"

    def env_file(self, name: str | None = None) -> Path:
        """Return the file to ``source``: the default one, or that of the role ``name``."""
        return self.folder / ("env" if name is None else f"env.{name}")

    def read_secrets(self) -> Secrets:
        """Return the generated secrets; generates them at the first start.

        Raises LocalError if there are data that were sealed with lost secrets.
        """
        file = self.secrets_file
        if file.exists():
            self._refuse_foreign(file)
            return _read_secrets(file)
        if self.postgres.exists():
            raise LocalError(
                f"The secrets of {self.folder} are lost: restore {file}, or delete everything "
                "with --fresh."
            )
        new_secrets = Secrets(_encryption_keys(), {})
        self.write_secrets(new_secrets)
        return new_secrets

    def _refuse_foreign(self, file: Path) -> None:
        """Raise for secrets that another user has written; close those that others may read."""
        found = file.lstat()
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
            raise LocalError(
                f"{file} was not written by this user: remove it, or start over with --fresh."
            )
        if found.st_mode & _OTHERS:
            file.chmod(0o600)

    def write_secrets(self, stored: Secrets) -> None:
        """Store the secrets so that only their owner can read them."""
        write_private(self.secrets_file, json.dumps(asdict(stored), indent=2))

    def store_key(self, user: str, key: LocalKey) -> None:
        """Add or replace the access key of ``user``."""
        stored = self.read_secrets()
        self.write_secrets(replace(stored, keys={**stored.keys, user: key}))

    @property
    def temporal_address_file(self) -> Path:
        """The file with the address of the Temporal server that `pao up` started.

        A shell that sourced our env file has it in TEMPORAL_ADDRESS: not an outside server.
        """
        return self.folder / "temporal.address"

    @property
    def started_temporal(self) -> str | None:
        """The address of the Temporal server that was started here last; None without one."""
        file = self.temporal_address_file
        return file.read_text().strip() if file.exists() else None

    def delete_state(self) -> None:
        """Remove what `pao up` created in the folder, and nothing else."""
        delete_files(self.postgres)
        for pattern in ("temporal.*", "secrets.json", "env", "env.*", "logs/*.log"):
            for file in self.folder.glob(pattern):
                file.unlink()
        for folder in (self.jira, self.github):
            for file in folder.glob("*"):
                file.unlink()
        shutil.rmtree(self.terraform, ignore_errors=True)

    @contextmanager
    def replace_contents(self) -> Iterator[None]:
        """Empty the folder, which must be locked, for what the block puts there.

        The old contents return if the block fails; if the process is killed, at the next ``lock``.
        """
        aside = self.folder / _REPLACED
        aside.mkdir(mode=0o700)
        for path in self._contents():
            path.rename(aside / path.name)
        move_data_aside(self.postgres)
        (aside / _COMPLETE).touch()
        try:
            yield
        except BaseException:
            self._restore_contents()
            raise
        aside.rename(self.folder / _DONE)
        self._delete_aside()

    def _contents(self) -> list[Path]:
        """Return the existing paths of the folder's state."""
        found = [self.postgres, self.terraform, self.jira, self.github, self.secrets_file]
        for pattern in ("temporal.*", "env", "env.*"):
            found += self.folder.glob(pattern)
        return [path for path in found if path.exists()]

    def _restore_contents(self) -> None:
        aside = self.folder / _REPLACED
        if not aside.exists():
            return
        # Without the mark, what is still in its place is the state itself.
        if (aside / _COMPLETE).exists():
            self._remove_contents()
            (aside / _COMPLETE).unlink()
        for path in list(aside.iterdir()):
            path.rename(self.folder / path.name)
        restore_data(self.postgres)
        aside.rmdir()

    def _remove_contents(self) -> None:
        delete_files(self.postgres)
        for path in self._contents():
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()

    def _delete_aside(self) -> None:
        if (self.folder / _DONE).exists():
            delete_data_aside(self.postgres)
            shutil.rmtree(self.folder / _DONE)

    def make_private(self) -> None:
        """Create the folder if there is none, and make it private.

        Raises HomeInUseError if it belongs to another user, or if it is open to others and holds
        other files.
        """
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = self.folder.stat()
            if found.st_uid != os.geteuid():
                raise HomeInUseError(
                    f"{self.folder} cannot be the state folder: it belongs to user "
                    f"{_user(found.st_uid)}. Choose another with PAO_HOME or --home."
                )
            if not found.st_mode & _OTHERS:
                return
            if not self._is_ours():
                raise HomeInUseError(
                    f"{self.folder} cannot be the state folder: others may enter it, and it holds "
                    f"other files. Close it (chmod 700 {shlex.quote(str(self.folder))}), or choose "
                    "another with PAO_HOME or --home."
                )
            self.folder.chmod(0o700)
        except OSError as error:
            raise HomeInUseError(
                f"{self.folder} cannot be the state folder ({error.strerror}): choose another "
                "with PAO_HOME or --home."
            ) from error

    def _is_ours(self) -> bool:
        """Return whether the folder is empty, or was locked by an earlier start of ours."""
        lock = self.folder / "lock"
        was_ours = lock.is_file() and lock.stat().st_uid == os.geteuid()
        return was_ours or not any(self.folder.iterdir())

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Lock the folder for this process; the system frees it when the process ends.

        Raises HomeInUseError if another process has locked it.
        """
        self.make_private()
        try:
            opened = (self.folder / "lock").open("a+")
        except OSError as error:
            raise HomeInUseError(
                f"{self.folder} cannot be written ({error.strerror}): choose another folder with "
                "PAO_HOME or --home."
            ) from error
        with opened as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                lock.seek(0)
                raise HomeInUseError(
                    f"PAO is already running on {self.folder} (process {lock.read().strip()}): use "
                    f"it (source {quote(str(self.env_file()))}), stop it first, or choose "
                    "another folder with PAO_HOME."
                ) from error
            lock.truncate(0)
            lock.write(f"{os.getpid()}\n")
            lock.flush()
            self._restore_contents()
            self._delete_aside()
            yield

    @property
    def secrets_file(self) -> Path:
        """The file of the encryption key and the access keys."""
        return self.folder / "secrets.json"


def _read_secrets(file: Path) -> Secrets:
    try:
        stored = json.loads(file.read_text())
        keys = {user: LocalKey(**key) for user, key in stored.pop("keys").items()}
        return Secrets(**stored, keys=keys)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise LocalError(
            f"{file} cannot be read: restore a good copy, or start over with --fresh."
        ) from error


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _encryption_keys() -> str:
    """Return a new key ring with one key: its id, and 32 random bytes."""
    return f"local1:{base64.b64encode(secrets.token_bytes(32)).decode()}"
