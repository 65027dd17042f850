"""What is in the image, and how a process of it is confined."""

import json
import os
import re
from pathlib import Path

import pytest

from deploy.tests.image.build import commit
from deploy.tests.image.containers import Container, ContainerRun, Image, Mount

PYC_UNCHECKED = 0b01


def output(image: Image, folder: Path, *command: str, code: int = 0) -> str:
    """Run a command in a container of its own and return what it prints."""
    container = Container(image, ContainerRun(entrypoint=[], arguments=command), folder)
    ended = container.wait()
    assert ended == code, container.said()
    return container.said()


def of_image(image: Image, *patterns: str) -> list[Path]:
    return [file for pattern in patterns for file in image.root.glob(pattern)]


def test_nothing_gives_its_caller_more_rights(runtime: Image) -> None:
    for folder, _, names in os.walk(runtime.root):
        for path in (Path(folder, name) for name in names):
            if not path.is_symlink():
                assert not path.stat().st_mode & 0o6000, path
                assert "security.capability" not in os.listxattr(path), path


def test_it_starts_as_a_number_that_is_not_root_and_listens_for_others(runtime: Image) -> None:
    assert runtime.config["User"] == "10001:10001"
    assert runtime.environment["PAO_HOST"] == "0.0.0.0"  # noqa: S104 -- in a container
    assert runtime.config["Entrypoint"] == ["tini", "--", "pao"]


def test_it_says_what_it_was_built_from(runtime: Image) -> None:
    assert runtime.environment["PAO_GIT_SHA"] == commit()
    assert runtime.config["Labels"]["org.opencontainers.image.revision"] == commit()


def test_it_has_no_tools_no_tests_and_no_stand_ins(runtime: Image, dev: Image) -> None:
    packages = next(runtime.root.glob("opt/pao/lib/python3*/site-packages"))
    found = {entry.name for entry in packages.iterdir()}

    assert not found & {"pip", "setuptools", "pytest", "mypy", "sandbox", "tests", "hatchling"}
    assert not of_image(runtime, "opt/tools", "source", "opt/pao/stand-ins", "etc/pip.conf")
    assert of_image(dev, "opt/pao/stand-ins/sandbox")


def test_the_scripts_of_its_pages_are_in_it(runtime: Image) -> None:
    assert (
        len(of_image(runtime, "opt/pao/lib/python3*/site-packages/api/web/static/vendor/*.js")) == 2
    )


def test_every_module_is_compiled_and_trusted_without_a_look_at_its_source(runtime: Image) -> None:
    packages = next(runtime.root.glob("opt/pao/lib/python3*/site-packages"))
    sources = [file for file in packages.rglob("*.py") if file.stat().st_size]
    assert len(sources) > 1000
    # Templates and examples of libraries that are no Python of this version.
    missing = []
    for source in sources:
        compiled = list((source.parent / "__pycache__").glob(f"{source.stem}.cpython-*.pyc"))
        if not compiled:
            missing.append(source)
            continue
        assert compiled[0].read_bytes()[4] == PYC_UNCHECKED, source
    assert len(missing) < 10
    assert not [file for file in missing if file.parts[len(packages.parts)] in {"pao", "api", "db"}]


def test_its_bill_of_materials_is_complete(runtime: Image, tmp_path: Path) -> None:
    text = next(runtime.root.glob("usr/share/pao/sbom.cdx.json")).read_text()
    bill = json.loads(text)
    listed = {(one["name"].lower(), one["version"]) for one in bill["components"]}

    program = (
        "import importlib.metadata as m, json;"
        "print(json.dumps([[d.metadata['Name'], d.version] for d in m.distributions()]))"
    )
    for name, version in json.loads(output(runtime, tmp_path, "python", "-c", program)):
        if name != "platform-automation-orchestrator":
            assert (name.lower(), version) in listed
    shown = "--showformat=${Package} ${Version}\\n"
    for line in output(runtime, tmp_path, "dpkg-query", "--show", shown).splitlines():
        assert tuple(line.split()) in listed

    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    references = [one["bom-ref"] for one in bill["components"]]
    assert len(set(references)) == len(references)


def test_a_process_has_no_right_to_spare_and_can_write_only_where_it_may(
    runtime: Image, tmp_path: Path
) -> None:
    status = output(runtime, tmp_path, "cat", "/proc/self/status")

    for line in ("Uid:\t10001\t10001", "Gid:\t10001\t10001", "NoNewPrivs:\t1"):
        assert line in status
    assert set(re.findall(r"^Cap\w+:\t(\w+)$", status, re.MULTILINE)) == {"0" * 16}
    refused = output(runtime, tmp_path, "touch", "/var/lib/pao/file", code=1)
    assert "Read-only file system" in refused
    output(runtime, tmp_path, "touch", "/tmp/file")  # noqa: S108 -- the container's own


def test_it_has_git_for_terraform_s_modules(runtime: Image, tmp_path: Path) -> None:
    assert output(runtime, tmp_path, "git", "--version").startswith("git version 2.")


def test_a_command_without_configuration_says_what_is_missing(
    runtime: Image, tmp_path: Path
) -> None:
    container = Container(runtime, ContainerRun(arguments=["api"]), tmp_path)

    assert container.wait() == 2
    assert "PAO_ENCRYPTION_KEYS: missing" in container.said()


def test_a_folder_that_is_mounted_for_it_can_be_written(runtime: Image, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    os.chown(state, 10001, 10001)
    run = ContainerRun(
        entrypoint=[],
        arguments=["touch", "/var/lib/pao/file"],
        mounts=[Mount(source=state, target="/var/lib/pao", writable=True)],
    )

    assert Container(runtime, run, tmp_path).wait() == 0
    assert (state / "file").stat().st_uid == 10001


@pytest.mark.parametrize("arguments", [["--version"], ["worker", "--help"], ["db", "--help"]])
def test_commands_run(runtime: Image, tmp_path: Path, arguments: list[str]) -> None:
    container = Container(runtime, ContainerRun(arguments=arguments), tmp_path)

    assert container.wait() == 0, container.said()
