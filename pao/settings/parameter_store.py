"""Secrets that are stored in AWS: `<NAME>_PATH` in place of `<NAME>`.

A path is the name of a parameter in Parameter Store, or the ARN of a secret in Secrets Manager.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from pao.settings.secrets_manager import is_arn, read_secret, region_of

# GetParameters takes ten names at most.
# https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html
_BATCH = 10
_ENDPOINTS = {
    "ssm": "AWS_ENDPOINT_URL_SSM",
    "secretsmanager": "AWS_ENDPOINT_URL_SECRETS_MANAGER",
}


def resolve_paths(
    environ: Mapping[str, str], names: Iterable[str]
) -> tuple[dict[str, str], list[str]]:
    """Return the environment with every secret of ``names`` read from its path, and the problems.

    A name that is given both ways, or whose path cannot be read, is a problem, and then absent. AWS
    is only called if there is a path. Neither values nor AWS's messages are repeated.
    """
    paths = {name: path for name in names if (path := environ.get(f"{name}_PATH"))}
    twice = sorted(name for name in paths if environ.get(name))
    problems = [f"{name}: given as value and as {name}_PATH; keep one of the two" for name in twice]
    wanted = {name: path for name, path in paths.items() if name not in twice}
    found, unread = read_parameters(environ, wanted)
    resolved = {**environ, **found}
    for name in twice:
        del resolved[name]
    return resolved, [
        *problems,
        *(f"{name}_PATH: {text}" for name, text in sorted(unread.items())),
    ]


def read_parameters(
    environ: Mapping[str, str], wanted: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the values of paths by the names of ``wanted``, and what is wrong by the same names.

    AWS is only called if a path is wanted.
    """
    secrets = {name: path for name, path in wanted.items() if is_arn(path)}
    parameters = {name: path for name, path in wanted.items() if name not in secrets}
    values, problems = _fetch(environ, parameters) if parameters else ({}, {})
    for name, path in secrets.items():
        value, problem = _read_secret(environ, path)
        if value is None:
            problems[name] = problem
        else:
            values[name] = value
    for name in [name for name, value in values.items() if not value.strip()]:
        del values[name]
        problems[name] = f"{wanted[name]!r} is empty"
    return values, problems


def _client(service: str, environ: Mapping[str, str], *, region: str | None = None) -> Any:
    import boto3  # noqa: PLC0415 -- takes 0.3 s to load, and most set-ups have no path
    from botocore.config import Config  # noqa: PLC0415 -- as above

    # A new session: the default one is not thread-safe.
    return boto3.session.Session().client(
        service,
        region_name=region or environ.get("AWS_REGION") or environ.get("PAO_REGION"),
        endpoint_url=environ.get(_ENDPOINTS[service]) or environ.get("AWS_ENDPOINT_URL"),
        config=Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 2}),
    )


def _read_secret(environ: Mapping[str, str], path: str) -> tuple[str | None, str]:
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 -- as above

    try:
        return read_secret(_client("secretsmanager", environ, region=region_of(path)), path)
    except (BotoCoreError, ClientError) as error:
        return None, (
            f"Secrets Manager did not give {path!r} ({_reason(error)}); check ARN, region, "
            "credentials and the right to secretsmanager:GetSecretValue"
        )


def _fetch(
    environ: Mapping[str, str], wanted: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 -- as above

    try:
        values = _get_parameters(_client("ssm", environ), sorted(set(wanted.values())))
    except (BotoCoreError, ClientError) as error:
        reason = _reason(error)
        return {}, {
            name: f"Parameter Store did not answer for {path!r} ({reason}); check region, "
            "credentials and the right to ssm:GetParameters"
            for name, path in wanted.items()
        }
    missing = {
        name: f"Parameter Store has no parameter {path!r}; create it or correct the path"
        for name, path in wanted.items()
        if path not in values
    }
    return {name: values[path] for name, path in wanted.items() if path in values}, missing


def _get_parameters(client: object, paths: list[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for start in range(0, len(paths), _BATCH):
        batch = paths[start : start + _BATCH]
        # The client's methods are made at run time, so no type knows them.
        answer = client.get_parameters(Names=batch, WithDecryption=True)  # type: ignore[attr-defined]
        for found in answer["Parameters"]:
            # A parameter that was requested by its ARN is returned with its name as well.
            values[found["Name"]] = values[found.get("ARN", "")] = found["Value"]
    return values


def _reason(error: Exception) -> str:
    answer = getattr(error, "response", None)
    if isinstance(answer, dict):
        return str(answer.get("Error", {}).get("Code", "unknown error"))
    return type(error).__name__
