"""Errors of the database, for commands that use it directly."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pao.app.cli.exits import CliError, ExitCode

if TYPE_CHECKING:
    from db.availability import DatabaseUnavailableError


@contextmanager
def database_errors(*variables: str) -> Iterator[None]:
    """Convert errors of the database to ``CliError``; ``variables`` hold its address."""
    from db.availability import DatabaseUnavailableError, translate_errors  # noqa: PLC0415 -- as above
    from db.migrations.files import MigrationError  # noqa: PLC0415 -- SQLAlchemy: 0.4 s

    try:
        with translate_errors():
            yield
    except MigrationError as error:
        raise CliError(str(error), exit_code=ExitCode.FAILED) from error
    except DatabaseUnavailableError as error:
        raise _cli_error(error, " or ".join(variables)) from error


def _cli_error(error: "DatabaseUnavailableError", variables: str) -> CliError:
    from db.availability import DatabaseProblem, describe_error  # noqa: PLC0415 -- as above

    exit_code = ExitCode.UNAVAILABLE
    hint = f"Check host, port, user, password and TLS in {variables}."
    if error.problem is DatabaseProblem.MISSING:
        hint = f"Create the database, or correct its name in {variables}."
    if error.problem is DatabaseProblem.SCHEMA:
        exit_code, hint = ExitCode.FAILED, "Run `pao db migrate` as the owner of the database."
    if error.problem is DatabaseProblem.RIGHTS:
        exit_code = ExitCode.DENIED
        hint = (
            f"`pao db` needs the owner's address in {variables}; other commands need the role"
            " pao_service, which `pao db migrate` gives its rights."
        )
    details = (describe_error(error.__cause__),)
    return CliError(f"The database {error.reason}", exit_code=exit_code, details=details, hint=hint)
