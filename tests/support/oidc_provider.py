"""An OpenID provider that somebody else wrote, as a process: `oidc-provider-mock`."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

_ADDRESS = re.compile(r"running on (http://127\.0\.0\.1:\d+)")


@contextmanager
def running_provider(people: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Run it for as long as the block runs; yield its issuer. ``people`` are claims by subject."""
    users = [
        part
        for subject, claims in people.items()
        for part in ("--user-claims", json.dumps({"sub": subject, **claims}))
    ]
    # Its imports warn, and our warnings are errors.
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "-p", "0", *users]
    process = subprocess.Popen(  # noqa: S603 -- a package of our own environment
        command, stderr=subprocess.PIPE, text=True, env={**os.environ, "NO_COLOR": "1"}
    )
    try:
        yield _address(process)
    finally:
        process.terminate()
        process.communicate()


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        if found := _ADDRESS.search(line):
            return found[1]
        said.append(line)
    raise AssertionError("the provider ended before it served: " + "".join(said))
