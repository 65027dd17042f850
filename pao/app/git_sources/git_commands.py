"""Runs git for a source, at checked addresses, without this machine's settings or prompts."""

import asyncio
import base64
import contextlib
import os
import re
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from catalog.sources.source import (
    SourceGoneError,
    SourceLimitedError,
    SourceRefusedError,
    SourceUnavailableError,
)
from pao.clients.outgoing import EgressRules, OutgoingError
from pao.clients.outgoing.resolver import EgressResolver
from pao.runtime import tracing

GIT_SECONDS = 120.0
# A connection that is slower than this for so long hangs.
_SLOW_BYTES, _SLOW_SECONDS = 100, 20
_PORTS = {"http": 80, "https": 443}
_MOST_OUTPUT = 256 * 1024 * 1024
_GONE = re.compile(
    rb"couldn.t find remote ref|repository .*not found|returned error: (30[1278]|404|410)"
    rb"|not our ref|does not appear to be a git repository",
    re.IGNORECASE,
)
_REFUSED = re.compile(
    rb"authentication failed|could not read (username|password)|returned error: (401|403)",
    re.IGNORECASE,
)
_LIMITED = re.compile(rb"returned error: 429", re.IGNORECASE)
_LIMIT_LASTS = timedelta(minutes=1)
_BROKEN = re.compile(rb"returned error: 5", re.IGNORECASE)
_SILENT = re.compile(
    rb"failed to connect|couldn.t connect|connection (refused|reset)|timed? ?out|too slow"
    rb"|empty reply|hung up|early EOF|(pull|push) function",
    re.IGNORECASE,
)
_UNTRUSTED = re.compile(rb"certificate|handshake|SSL|TLS", re.IGNORECASE)
# Other errors: git's messages (with OpenSSL or GnuTLS, depending on its build), and ours.
# The first match counts: a TLS connection that breaks is reported in words of TLS.
_OTHERS = {
    _BROKEN: "git: the server answers with an internal error; retry later.",
    _SILENT: "git: the server does not answer, or not completely; retry later.",
    _UNTRUSTED: (
        "git: the server is not trusted, or does not speak TLS; list its issuer in "
        "PAO_EGRESS_CA_BUNDLE, or correct CATALOG_REPOSITORY."
    ),
}
# Addresses and names of branches may hold any of these words.
_QUOTED = re.compile(rb"'[^'\n]*'")


@dataclass(frozen=True, slots=True, kw_only=True)
class GitRemote:
    """A repository by HTTP, its credentials, and how it is reached.

    ``proxy`` and ``ca_bundle`` are those of all outgoing calls.
    """

    url: str
    user: str = "git"
    token: SecretStr | None = field(default=None, repr=False)
    rules: EgressRules = field(default_factory=EgressRules)
    proxy: SecretStr | None = field(default=None, repr=False)
    ca_bundle: Path | None = None


class GitCommands:
    """Runs git in one bare repository, which is a cache and may be lost at any time."""

    def __init__(self, remote: GitRemote, folder: Path, *, seconds: float = GIT_SECONDS) -> None:
        self._remote = remote
        self._folder = folder
        self._seconds = seconds
        self.calls = 0

    async def local(self, *arguments: str, given: bytes = b"") -> bytes:
        """Run a command that reaches no network; raises ``SourceUnavailableError``."""
        return await self._run(arguments, given, config={})

    async def remote(
        self, *arguments: str, given: bytes = b"", config: Mapping[str, str] | None = None
    ) -> bytes:
        """Run a command that calls the remote; raises ``SourceUnavailableError`` or its kinds."""
        self.calls += 1
        # A cleaner of temporary files may have removed it.
        await asyncio.to_thread(self._folder.mkdir, 0o700, exist_ok=True)
        settings = await self._network() | dict(config or {})
        with tracing.client_span("git", method=arguments[0], system="git"):
            return await self._run(arguments, given, config=settings)

    async def _network(self) -> dict[str, str]:
        """Return the configuration by which git connects only to the checked address, as us."""
        remote = self._remote
        parts = urlsplit(remote.url)
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        config = {
            "http.followRedirects": "false",
            "http.lowSpeedLimit": str(_SLOW_BYTES),
            "http.lowSpeedTime": str(_SLOW_SECONDS),
        }
        guide = EgressResolver(remote.rules)
        try:
            if remote.proxy is None:
                addresses = await guide.permitted_addresses(host, port)
                pinned = ",".join(f"[{one}]" if ":" in one else one for one in addresses)
                config["http.curloptResolve"] = f"{host}:{port}:{pinned}"
                config["http.proxy"] = ""
            else:
                await guide.check_for_proxy(host, port)
                config["http.proxy"] = remote.proxy.get_secret_value()
        except OutgoingError as error:
            raise SourceUnavailableError(f"git: {error.message}") from error
        if remote.ca_bundle is not None:
            config["http.sslCAInfo"] = str(remote.ca_bundle)
        if remote.token is not None:
            pair = f"{remote.user}:{remote.token.get_secret_value()}".encode()
            basic = base64.b64encode(pair).decode()
            config["http.extraHeader"] = f"Authorization: Basic {basic}"
        return config

    async def _run(
        self, arguments: Sequence[str], given: bytes, *, config: dict[str, str]
    ) -> bytes:
        try:
            process = await asyncio.create_subprocess_exec(
                "git",
                *arguments,
                cwd=self._folder,
                env=_environment(self._folder, config),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise SourceUnavailableError("git cannot be started; install it here.") from error
        try:
            async with asyncio.timeout(self._seconds):
                out, stderr = await process.communicate(given)
        except TimeoutError as error:
            raise SourceUnavailableError(
                f"git did not finish within {self._seconds:.0f} s."
            ) from error
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        if process.returncode != 0:
            raise _failure(stderr)
        if len(out) > _MOST_OUTPUT:
            raise SourceUnavailableError("git has printed more than PAO reads.")
        return out


def _environment(folder: Path, config: dict[str, str]) -> dict[str, str]:
    """Return the whole environment of git; credentials are in it, never in the arguments."""
    always = {
        "core.hooksPath": os.devnull,
        "gc.auto": "0",
        "maintenance.auto": "false",
        "protocol.version": "2",
        "credential.helper": "",
    }
    settings = list((always | config).items())
    numbered = {f"GIT_CONFIG_KEY_{at}": key for at, (key, _) in enumerate(settings)}
    numbered |= {f"GIT_CONFIG_VALUE_{at}": value for at, (_, value) in enumerate(settings)}
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "LC_ALL": "C",
        "GIT_DIR": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "true",
        "GIT_ALLOW_PROTOCOL": "https:http",
        "GIT_CONFIG_COUNT": str(len(settings)),
        **numbered,
    }


def _failure(stderr: bytes) -> SourceUnavailableError:
    """Return the error in our own words: git's may contain addresses and credentials."""
    stderr = _QUOTED.sub(b"''", stderr)
    if _REFUSED.search(stderr):
        return SourceRefusedError(
            "The repository rejected our credentials; the operator must replace "
            "CATALOG_GIT_TOKEN, or give it the right to read."
        )
    if _GONE.search(stderr):
        return SourceGoneError(
            "There is no such repository or branch, it was renamed, or our credentials may not see "
            "it; correct CATALOG_REPOSITORY or CATALOG_BRANCH."
        )
    if _LIMITED.search(stderr):
        until = datetime.now(UTC) + _LIMIT_LASTS
        return SourceLimitedError("git: the server accepts no more calls for now.", until=until)
    cause = next((advice for sign, advice in _OTHERS.items() if sign.search(stderr)), None)
    return SourceUnavailableError(
        cause or "git could not read the repository; see what git ls-remote says on this worker."
    )
