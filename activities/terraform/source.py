"""Fetches a module into the private directory, if the operator allows it."""

import asyncio
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from activities.action_errors import ActionFailedError
from activities.options.terraform import TerraformOptions
from activities.terraform import state_rescue
from activities.terraform.cli import TerraformCli
from activities.terraform.execution_spec import ModuleSource
from activities.terraform.hcl import module_files
from activities.terraform.os_account import hand_over
from activities.terraform.working_directory import WorkingDirectory, write_json
from pao.core.failure_classes import (
    BAD_CALL,
    HIDDEN,
    NOT_ALLOWED,
    NOT_SET,
    REFUSED,
    UNAUTHORIZED,
    UNSENT,
    FailureClass,
    classify_report,
)

SCHEMES = frozenset({"https", "ssh", "http", "file"})
NOT_COPIED = shutil.ignore_patterns(".terraform", ".git", "*.tfstate", "*.tfstate.*")
_ODD = re.compile(r"\.\.|[%?#\\\s]")
_GIT_ERRORS = (
    (re.compile(r"could ?n.t find remote ref|not our ref|no such ref", re.IGNORECASE), REFUSED),
    (
        re.compile(r"authentication failed|could not read username|publickey", re.IGNORECASE),
        UNAUTHORIZED,
    ),
    (re.compile(r"repository .*not found|does not appear to be a git", re.IGNORECASE), HIDDEN),
)


def check_allowed(source: ModuleSource, options: TerraformOptions) -> ModuleSource:
    """Return the source to fetch, a folder by its real path.

    Raises ActionFailedError if the operator has not listed it.
    """
    if source.path is not None:
        if (folder := _find_folder(source.path, options.sources)) is not None:
            return replace(source, path=str(folder))
    elif _is_listed(source, options):
        return source
    raise ActionFailedError(
        f"This worker may not run the Terraform module {source}: a module is code. The operator "
        "allows sources in TERRAFORM_SOURCES: folders, beginnings of git addresses, or namespaces "
        "of a registry.",
        judged=NOT_ALLOWED,
    )


def _find_folder(path: str, sources: tuple[str, ...]) -> Path | None:
    """Find the folder within those that are listed; a relative one is looked up in each."""
    for root in (Path(source).resolve() for source in sources if source.startswith("/")):
        real = (root / path).resolve()
        if real.is_relative_to(root) and (real.is_dir() or Path(path).is_absolute()):
            return real
    return None


def _is_listed(source: ModuleSource, options: TerraformOptions) -> bool:
    address = source.registry or ""
    if source.git is not None:
        address = _git_address(source.git)
    if _ODD.search(address):
        return False
    listed = [known.rstrip("/") for known in options.sources if not known.startswith("/")]
    return any(address == known or address.startswith(f"{known}/") for known in listed)


def _git_address(address: str) -> str:
    parts = urlsplit(address)
    if parts.scheme not in SCHEMES or _ODD.search(address) or parts.password:
        raise ActionFailedError(
            "The git address of the module must look like https://git.example.com/team/modules or "
            "ssh://git@git.example.com/team/modules, without a password: credentials are the "
            "operator's (TERRAFORM_ENVIRONMENT).",
            judged=BAD_CALL,
        )
    return address


async def fetch(
    source: ModuleSource, directory: WorkingDirectory, cli: TerraformCli
) -> tuple[Path, str | None]:
    """Fetch the module; return the folder in which Terraform runs, and the commit."""
    commit = None
    if source.path is not None:
        await _copy(Path(source.path), directory.module)
    elif source.git is not None:
        commit = await _clone(source, directory, cli)
    else:
        await _download(source, directory, cli)
    # A repository may contain one, which would be taken for this execution's.
    for file in state_rescue.unwritten_in(directory.module):
        file.unlink()
    await asyncio.to_thread(hand_over, directory.module, directory.account)
    return _module_folder(source, directory), commit


def _module_folder(source: ModuleSource, directory: WorkingDirectory) -> Path:
    if PurePosixPath(source.directory).is_absolute() or ".." in Path(source.directory).parts:
        raise ActionFailedError(
            "source.directory must be a folder within the source.", judged=BAD_CALL
        )
    folder = (directory.module / source.directory).resolve()
    if not folder.is_relative_to(directory.root.resolve()) or not folder.is_dir():
        raise ActionFailedError(
            f"There is no folder {source.directory!r} in the source {source}.", judged=BAD_CALL
        )
    if not module_files(folder):
        raise ActionFailedError(
            f"There is no Terraform configuration in {source}: name the folder that holds the "
            "*.tf files in source.directory.",
            judged=BAD_CALL,
        )
    return folder


async def _copy(path: Path, target: Path) -> None:
    def copy() -> None:
        shutil.copytree(path, target, symlinks=True, ignore=NOT_COPIED)

    try:
        await asyncio.to_thread(copy)
    except (OSError, shutil.Error) as error:
        reason = getattr(error, "strerror", None) or "not everything could be read"
        raise ActionFailedError(
            f"The module in {path} cannot be copied: {reason}.", judged=NOT_SET
        ) from error


async def _clone(source: ModuleSource, directory: WorkingDirectory, cli: TerraformCli) -> str:
    """Fetch one commit: of a branch, a tag, or by its hash where the server allows it."""
    output = ""
    git = shutil.which("git", path=cli.environment["PATH"])
    if git is None:
        raise ActionFailedError(
            "There is no git on this worker; modules from git need it.", judged=NOT_SET
        )
    directory.module.mkdir()
    scheme = urlsplit(source.git or "").scheme
    only = cli.as_worker().with_environment(GIT_ALLOW_PROTOCOL=scheme, GIT_CONFIG_NOSYSTEM="1")
    fetching = ["fetch", "-q", "--depth", "1", "--no-tags", source.git or "", source.ref or "HEAD"]
    checkout = ["checkout", "-q", "--detach", "FETCH_HEAD"]
    for arguments in (["init", "-q"], fetching, checkout, ["rev-parse", "HEAD"]):
        ended, output = await only.text([git, *arguments], directory.module)
        if ended.code != 0:
            raise ActionFailedError(
                f"git could not get {source}: {ended.errors or 'it did not say why'}",
                judged=_classify_git_error(ended.errors),
            )
    return output.strip()


def _classify_git_error(text: str) -> FailureClass:
    """Return what git's error means; an unknown one may be temporary."""
    for pattern, judged in _GIT_ERRORS:
        if pattern.search(text):
            return judged
    return classify_report(text, otherwise=UNSENT)


async def _download(source: ModuleSource, directory: WorkingDirectory, cli: TerraformCli) -> None:
    """Download a module from a registry with Terraform, then use it as the root module."""
    stage = directory.root / "stage"
    stage.mkdir()
    call = {"source": source.registry} | ({"version": source.version} if source.version else {})
    write_json(stage / "main.tf.json", {"module": {"root": call}})
    hand_over(stage, directory.account)
    ended, _ = await cli.text([cli.program, "get", "-no-color"], stage)
    if ended.code != 0:
        raise ActionFailedError(
            f"The module {source} could not be fetched from its registry: {ended.errors}",
            judged=classify_report(ended.errors, otherwise=UNSENT),
        )
    await _copy(_downloaded_folder(directory, stage), directory.module)
    await asyncio.to_thread(shutil.rmtree, directory.data, ignore_errors=True)
    directory.make(directory.data)


def _downloaded_folder(directory: WorkingDirectory, stage: Path) -> Path:
    listed = json.loads((directory.data / "modules" / "modules.json").read_bytes())
    [folder] = [module["Dir"] for module in listed["Modules"] if module["Key"] == "root"]
    return stage / str(folder)
