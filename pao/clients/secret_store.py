"""The operator's secrets that templates name: environment, a folder of files, Parameter Store."""

import asyncio
import re
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

VARIABLE = "PAO_SECRET_"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,127}")
_BATCH = 10
LARGEST = 64 * 1024
CACHE_SECONDS = 60.0


class SecretsUnavailableError(Exception):
    """A store is unavailable; the text names the store, never a value."""


class SecretUnusableError(Exception):
    """A secret exists, but cannot be used until it is corrected."""


class SecretSource(Protocol):
    """One place where secrets are."""

    async def find(self, names: Iterable[str]) -> dict[str, str]:
        """Return those of the named secrets that are here."""
        ...


class EnvironmentSecrets:
    """Variables ``PAO_SECRET_<NAME>``, the name in capital letters."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    async def find(self, names: Iterable[str]) -> dict[str, str]:
        """Return those that are set."""
        variables = {name: f"{VARIABLE}{name.upper()}" for name in names}
        return {
            name: self._environ[variable]
            for name, variable in variables.items()
            if self._environ.get(variable)
        }


class FolderSecrets:
    """One file per secret, named like it, as Kubernetes mounts them; read at every use.

    An empty file counts as none.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def find(self, names: Iterable[str]) -> dict[str, str]:
        """Return those that exist, without the final line break.

        An unreadable file is an error, not an absent secret; a file is never truncated. Raises
        ``SecretsUnavailableError`` and, for invalid content, ``SecretUnusableError``.
        """
        found = {}
        for name in names:
            text = await asyncio.to_thread(_read, self._folder / name)
            if text:
                found[name] = text
        return found


class ParameterStoreSecrets:
    """Parameters under one prefix of AWS Parameter Store, cached for a minute.

    ``clock`` counts seconds.
    """

    def __init__(
        self,
        prefix: str,
        *,
        region: str | None,
        endpoint: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._prefix = prefix.rstrip("/")
        self._client_options = {"region_name": region, "endpoint_url": endpoint}
        self._clock = clock
        self._cache: dict[str, tuple[str, float]] = {}
        self._client: Any = None

    async def find(self, names: Iterable[str]) -> dict[str, str]:
        """Return those that exist; raises ``SecretsUnavailableError``."""
        wanted = set(names)
        # Read before the others: what expires meanwhile was valid at the call.
        found = self._get_cached(wanted)
        if unread := sorted(wanted - found.keys()):
            read = await asyncio.to_thread(self._fetch, unread)
            until = self._clock() + CACHE_SECONDS
            self._cache |= {name: (value, until) for name, value in read.items()}
            found |= read
        return found

    def _get_cached(self, names: Iterable[str]) -> dict[str, str]:
        now = self._clock()
        kept = {name: self._cache[name] for name in names if name in self._cache}
        return {name: value for name, (value, until) in kept.items() if now < until}

    def _fetch(self, names: list[str]) -> dict[str, str]:
        import boto3  # noqa: PLC0415 -- takes 0.3 s to load, and most set-ups need it not
        from botocore.config import Config  # noqa: PLC0415 -- as above
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 -- as above

        try:
            if self._client is None:
                settings = Config(
                    connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 1}
                )
                self._client = boto3.client("ssm", config=settings, **self._client_options)
            return self._get_parameters(names)
        except (BotoCoreError, ClientError) as error:
            raise SecretsUnavailableError(
                f"Parameter Store does not answer ({type(error).__name__}); check region, "
                "credentials and the right to ssm:GetParameters."
            ) from error

    def _get_parameters(self, names: list[str]) -> dict[str, str]:
        values: dict[str, str] = {}
        for start in range(0, len(names), _BATCH):
            batch = [f"{self._prefix}/{name}" for name in names[start : start + _BATCH]]
            answer = self._client.get_parameters(Names=batch, WithDecryption=True)
            values |= {
                found["Name"].rpartition("/")[2]: found["Value"] for found in answer["Parameters"]
            }
        return values


class SecretStore:
    """All sources, asked in their order; the first that knows a name answers for it."""

    def __init__(self, sources: Iterable[SecretSource] = ()) -> None:
        self._sources = tuple(sources)

    async def find(self, names: Iterable[str]) -> dict[str, str]:
        """Return those of the named secrets that exist; raises as the sources do.

        A blank one does not count: it has not been set yet.
        """
        missing = [name for name in names if _NAME.fullmatch(name)]
        found: dict[str, str] = {}
        for source in self._sources:
            if not missing:
                break
            answered = await source.find(missing)
            found |= {name: value for name, value in answered.items() if value.strip()}
            missing = [name for name in missing if name not in found]
        return found


def _read(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise SecretUnusableError(_unreadable_message(path, "it is larger than 64 KB"))
        return content.decode().rstrip("\r\n")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None
    except OSError as error:
        raise SecretsUnavailableError(_unreadable_message(path, error.strerror)) from error
    except UnicodeDecodeError:
        raise SecretUnusableError(_unreadable_message(path, "it is not UTF-8 text")) from None


def _unreadable_message(path: Path, why: str | None) -> str:
    return f"The secret {path.name!r} cannot be read from its file ({why}); correct the file."
