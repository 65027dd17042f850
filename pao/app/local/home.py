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

from pao.app.local.env_file import quoted
from pao.app.local.postgres_files import (
    bring_data_back,
    forget_data_aside,
    forget_files,
    put_data_aside,
)
from pao.app.local.processes import LocalError, write_private

_OTHERS = 0o077
_ASIDE, _DONE, _WHOLE = "replaced", "replaced.done", "whole"
"""Where a state is kept while it is replaced, where until it goes; what marks it as whole."""


class HomeInUseError(LocalError):
    """Another `pao up` runs on the same state folder."""


@dataclass(frozen=True, slots=True)
class KeptKey:
    """An access key that was made here, so that later starts hand out the same one."""

    access_key_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Secrets:
    """What was generated at the first start; ``keys`` holds an access key per user."""

    encryption_keys: str = field(repr=False)
    keys: Mapping[str, KeptKey] = field(repr=False)


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
        """Return the generated secrets; makes them at the first start.

        Raises LocalError where data exist that were sealed with secrets that are gone.
        """
        file = self.secrets_file
        if file.exists():
            self._refuse_foreign(file)
            return _kept_secrets(file)
        if self.postgres.exists():
            raise LocalError(
                f"The secrets of {self.folder} are gone: put {file} back, or throw everything "
                "away with --fresh."
            )
        made = Secrets(_encryption_keys(), {})
        self.write_secrets(made)
        return made

    def _refuse_foreign(self, file: Path) -> None:
        """Take no secrets that somebody else has put here or may read."""
        found = file.lstat()
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
            raise LocalError(
                f"{file} was not written by this user: remove it, or start over with --fresh."
            )
        if found.st_mode & _OTHERS:
            file.chmod(0o600)

    def write_secrets(self, kept: Secrets) -> None:
        """Keep ``kept`` where only its owner can read it."""
        write_private(self.secrets_file, json.dumps(asdict(kept), indent=2))

    def keep_key(self, user: str, key: KeptKey) -> None:
        """Add or replace the access key of ``user``."""
        kept = self.read_secrets()
        self.write_secrets(replace(kept, keys={**kept.keys, user: key}))

    @property
    def temporal_address_file(self) -> Path:
        """The file that names the Temporal server which we started ourselves.

        Who has sourced our env file has its address in TEMPORAL_ADDRESS: that is no outside server.
        """
        return self.folder / "temporal.address"

    @property
    def own_temporal(self) -> str | None:
        """The address of the Temporal server that was started here last; None without one."""
        file = self.temporal_address_file
        return file.read_text().strip() if file.exists() else None

    def throw_away(self) -> None:
        """Remove what `pao up` made in the folder, and nothing that someone else put there."""
        forget_files(self.postgres)
        for pattern in ("temporal.*", "secrets.json", "env", "env.*", "logs/*.log"):
            for file in self.folder.glob(pattern):
                file.unlink()
        for folder in (self.jira, self.github):
            for file in folder.glob("*"):
                file.unlink()
        shutil.rmtree(self.terraform, ignore_errors=True)

    @contextmanager
    def replaced(self) -> Iterator[None]:
        """Empty the folder, which must be held, for what the block puts there.

        All is as it was if the block fails; if the process is killed, from the next ``held`` on.
        """
        aside = self.folder / _ASIDE
        aside.mkdir(mode=0o700)
        for path in self._contents():
            path.rename(aside / path.name)
        put_data_aside(self.postgres)
        (aside / _WHOLE).touch()
        try:
            yield
        except BaseException:
            self._bring_back()
            raise
        aside.rename(self.folder / _DONE)
        self._forget_aside()

    def _contents(self) -> list[Path]:
        """Return what makes the state of the folder, as far as it is there."""
        found = [self.postgres, self.terraform, self.jira, self.github, self.secrets_file]
        for pattern in ("temporal.*", "env", "env.*"):
            found += self.folder.glob(pattern)
        return [path for path in found if path.exists()]

    def _bring_back(self) -> None:
        aside = self.folder / _ASIDE
        if not aside.exists():
            return
        # Before the mark, what is in its place is the state itself.
        if (aside / _WHOLE).exists():
            self._remove_contents()
            (aside / _WHOLE).unlink()
        for path in list(aside.iterdir()):
            path.rename(self.folder / path.name)
        bring_data_back(self.postgres)
        aside.rmdir()

    def _remove_contents(self) -> None:
        forget_files(self.postgres)
        for path in self._contents():
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()

    def _forget_aside(self) -> None:
        if (self.folder / _DONE).exists():
            forget_data_aside(self.postgres)
            shutil.rmtree(self.folder / _DONE)

    def close(self) -> None:
        """Make the folder if there is none, and keep everybody else out of it.

        Raises HomeInUseError where it belongs to somebody else, or is open to others and holds what
        we did not put there: that folder is not ours to close.
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
        """Return whether the folder is empty, or was held by an earlier start of ours."""
        lock = self.folder / "lock"
        held = lock.is_file() and lock.stat().st_uid == os.geteuid()
        return held or not any(self.folder.iterdir())

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folder for this process; the system frees it when the process ends.

        Raises HomeInUseError where another process holds it.
        """
        self.close()
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
                    f"it (source {quoted(str(self.env_file()))}), stop it first, or choose "
                    "another folder with PAO_HOME."
                ) from error
            lock.truncate(0)
            lock.write(f"{os.getpid()}\n")
            lock.flush()
            self._bring_back()
            self._forget_aside()
            yield

    @property
    def secrets_file(self) -> Path:
        """The file of the encryption key and the access keys."""
        return self.folder / "secrets.json"


def _kept_secrets(file: Path) -> Secrets:
    try:
        kept = json.loads(file.read_text())
        keys = {user: KeptKey(**key) for user, key in kept.pop("keys").items()}
        return Secrets(**kept, keys=keys)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise LocalError(
            f"{file} cannot be read: put a good copy back, or start over with --fresh."
        ) from error


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _encryption_keys() -> str:
    """Make a ring of one key: its id, and 32 random bytes."""
    return f"local1:{base64.b64encode(secrets.token_bytes(32)).decode()}"
