"""Where terraform or tofu comes from; programs and toolchains are small scripts on a PATH."""

import io
import os
from pathlib import Path

import pytest
from rich.console import Console

from pao.app.local.processes import LocalError
from pao.app.local.progress import ProgressReporter
from pao.app.local.terraform_binary import PROGRAM, find, find_or_build

TOFU = "#!/bin/sh\necho OpenTofu v1.6.3\n"
GO = f"""#!/bin/sh
echo "$@" >> "$GO_LOG"
printf '%s' '{TOFU}' > "$GOBIN/tofu"
chmod +x "$GOBIN/tofu"
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "bin").mkdir()
    return {
        "PATH": f"{tmp_path / 'bin'}{os.pathsep}/bin",
        "PAO_CACHE": str(tmp_path / "cache"),
        "GO_LOG": str(tmp_path / "go.log"),
    }


def put(environment: dict[str, str], name: str, script: str) -> Path:
    program = Path(environment["PATH"].partition(os.pathsep)[0]) / name
    program.write_text(script)
    program.chmod(0o755)
    return program


def test_terraform_on_path_comes_before_tofu(environment: dict[str, str]) -> None:
    tofu = put(environment, "tofu", TOFU)
    assert find(environment) == tofu
    assert find(environment | {"TERRAFORM_BINARY": "/opt/terraform"}) == Path("/opt/terraform")
    terraform = put(environment, "terraform", TOFU)
    assert find(environment) == terraform


def test_without_either_tofu_is_built_once_and_kept(environment: dict[str, str]) -> None:
    put(environment, "go", GO)
    said = io.StringIO()
    progress = ProgressReporter(Console(file=said))
    assert find(environment) is None

    made = find_or_build(progress, environment)

    assert made == PROGRAM.cached(environment) == find_or_build(progress, environment)
    assert find(environment) == made
    [built] = Path(environment["GO_LOG"]).read_text().splitlines()
    assert built.endswith("github.com/opentofu/opentofu/cmd/tofu@v1.6.3")
    assert "about three minutes" in said.getvalue()


def test_without_any_way_it_is_said_what_to_install(environment: dict[str, str]) -> None:
    put(environment, "go", "#!/bin/sh\necho no such module >&2\nexit 1\n")
    environment["GOPROXY"] = "off"
    with pytest.raises(LocalError, match="TERRAFORM_BINARY") as failure:
        find_or_build(ProgressReporter(Console(file=io.StringIO())), environment)
    assert "no such module" in str(failure.value)
