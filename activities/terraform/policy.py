"""The operator's policy for modules on the worker, checked before any module code runs."""

import asyncio
from pathlib import Path

from activities.action_errors import ActionFailedError
from activities.options.terraform import TerraformOptions
from activities.terraform import commands
from activities.terraform.execution_spec import ExecutionSpec
from activities.terraform.hcl import UnreadableFileError
from activities.terraform.working_directory import WorkingDirectory
from pao.core.failure_classes import NOT_ALLOWED

SHOWN = 5


async def check_root(
    spec: ExecutionSpec, directory: WorkingDirectory, folder: Path, options: TerraformOptions
) -> None:
    """Check the root module before init, which already uses its backend and its encryption."""
    await asyncio.to_thread(_check_root, spec, directory, folder, options)


async def check_modules(
    directory: WorkingDirectory, folder: Path, options: TerraformOptions
) -> None:
    """Check every module that init has installed, wherever its folder is."""
    await asyncio.to_thread(_check_modules, directory, folder, options)


def refuse_commands(findings: list[str], options: TerraformOptions) -> None:
    """Raise ActionFailedError for commands that the operator has not allowed."""
    if findings and not options.allow_provisioners:
        raise ActionFailedError(
            f"The module runs commands on the worker ({_list_findings(findings)}), by provisioners "
            "or otherwise; nothing was changed. Take them out of the module, or have the operator "
            "set TERRAFORM_ALLOW_PROVISIONERS=true.",
            judged=NOT_ALLOWED,
        )


def _check_root(
    spec: ExecutionSpec, directory: WorkingDirectory, folder: Path, options: TerraformOptions
) -> None:
    _refuse_links(commands.links_out_of(directory.module, directory.module))
    if not options.allow_provisioners:
        found = _find_commands(folder)
        refuse_commands(found + commands.commands_in_backend(spec.backend_config), options)


def _check_modules(directory: WorkingDirectory, folder: Path, options: TerraformOptions) -> None:
    listed = [Path(source) for source in options.sources if source.startswith("/")]
    inside = [place.resolve() for place in (directory.root, *listed)]
    found = []
    for address, place in commands.module_folders(folder, directory.data).items():
        real = place.resolve()
        if not any(real.is_relative_to(one) for one in inside):
            raise ActionFailedError(
                f"{address.rstrip('.')} is a folder of the worker ({real}) that the operator has "
                "not listed in TERRAFORM_SOURCES; nothing was changed. Name it by a path within "
                "the source, or by its git address.",
                judged=NOT_ALLOWED,
            )
        if not options.allow_provisioners:
            found += _find_commands(real, module=address)
    _refuse_links(commands.links_out_of(directory.data / "modules", directory.root, *listed))
    refuse_commands(found, options)


def _find_commands(folder: Path, *, module: str = "") -> list[str]:
    try:
        return commands.commands_in(folder, module=module)
    except UnreadableFileError as error:
        where = f" of {module.rstrip('.')}" if module else ""
        raise ActionFailedError(
            f"The module's files{where} cannot be checked for commands that they run on the "
            f"worker: {error}. Nothing was changed. Fix the file (terraform validate), "
            "then retry.",
            judged=NOT_ALLOWED,
        ) from error


def _refuse_links(findings: list[str]) -> None:
    if findings:
        raise ActionFailedError(
            f"The module has symbolic links that lead out of it ({_list_findings(findings)}); "
            "nothing was changed. Replace them by the files that they stand for.",
            judged=NOT_ALLOWED,
        )


def _list_findings(findings: list[str]) -> str:
    more = f" and {len(findings) - SHOWN} more" if len(findings) > SHOWN else ""
    return f"{', '.join(findings[:SHOWN])}{more}"
