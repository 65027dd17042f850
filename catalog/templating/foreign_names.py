"""What other languages and tools write for a name, function or operator of templates."""

import re
from collections.abc import Mapping

OPERATOR_MEANT: Mapping[str, str] = {
    "===": "==",
    "!==": "!=",
    "<>": "!=",
    "&&": "and",
    "||": "or",
    "!": "not",
}
FOREIGN_OPERATORS = re.compile(r"===|!==|<>|&&|\|\||!(?!=)")

_SIGNS = {
    "eq": "==",
    "equals": "==",
    "ge": ">=",
    "gt": ">",
    "gte": ">=",
    "le": "<=",
    "lt": "<",
    "lte": "<=",
    "ne": "!=",
}
_CALLS = {"contains": "contains", "includes": "contains", "matches": "matches"}
WORD_MEANT: Mapping[str, tuple[str, str]] = {
    **{word: (sign, f"{{left}} {sign} {{right}}") for word, sign in _SIGNS.items()},
    **{
        word: (f"the function {name}", f"{name}({{left}}, {{right}})")
        for word, name in _CALLS.items()
    },
}
"""Words between two values: what to write instead, and how the expression is written then."""
FOREIGN_WORDS = re.compile(rf"({'|'.join(WORD_MEANT)})\b(?!\s*[(.\[])")
SIMPLE = re.compile(r"[\w.]{1,80}|'[^']{0,80}'|\"[^\"]{0,80}\"")
"""A path or a literal, which can be moved within an expression."""

FUNCTION_MEANT: Mapping[str, str] = {
    "atoi": "int",
    "b64dec": "base64decode",
    "b64enc": "base64",
    "b64encode": "base64",
    "base64encode": "base64",
    "capitalize": "title",
    "cat": "concat",
    "count": "len",
    "dateFormat": "date",
    "dig": "lookup",
    "distinct": "unique",
    "downcase": "lower",
    "dump": "json",
    "empty": "not",
    "encodeURIComponent": "urlencode",
    "endsWith": "matches",
    "equals": "eq",
    "formatDate": "date",
    "get": "lookup",
    "greaterThan": "gt",
    "hasKey": "contains",
    "includes": "contains",
    "isEqual": "eq",
    "kebabcase": "slugify",
    "keys": "items",
    "lessThan": "lt",
    "lowercase": "lower",
    "md5": "hash",
    "newUUID": "uuid",
    "parseInt": "int",
    "quote": "json",
    "rand": "random",
    "randInt": "random",
    "randomInt": "random",
    "regex_match": "matches",
    "regexMatch": "matches",
    "regexReplaceAll": "replace",
    "replaceAll": "replace",
    "sha1": "hash",
    "sha256": "hash",
    "sha256sum": "hash",
    "sha512": "hash",
    "size": "len",
    "startcase": "title",
    "startsWith": "matches",
    "strftime": "date",
    "strip": "trim",
    "substr": "truncate",
    "substring": "truncate",
    "to_json": "json",
    "to_yaml": "yaml",
    "toInt": "int",
    "toLower": "lower",
    "toLowerCase": "lower",
    "toNumber": "int",
    "toString": "string",
    "toUpper": "upper",
    "toUpperCase": "upper",
    "toYaml": "yaml",
    "trunc": "truncate",
    "uniq": "unique",
    "upcase": "upper",
    "uppercase": "upper",
    "urlencode_component": "urlencode",
    "urlquery": "url",
    "uuid4": "uuid",
    "uuidv4": "uuid",
}

SCOPE_MEANT: Mapping[str, str] = {
    **dict.fromkeys(
        ("Values", "form", "inputs", "parameters", "params", "user_input", "values", "var", "vars"),
        "fields",
    ),
    **dict.fromkeys(("requester", "user"), "request.user"),
    **dict.fromkeys(("correlationId", "correlation_id"), "request.correlation_id"),
    **dict.fromkeys(("catalogItem", "item"), "metadata"),
    **dict.fromkeys(("requestId", "request_id"), "request.id"),
    "actions": "outputs",
    "now": "system.datetime",
    "steps": "outputs",
    "today": "system.date",
}
"""Beginnings of paths, and with what they begin here."""

_USER: Mapping[str, str] = {
    "email": "request.user.email",
    "mail": "request.user.email",
    "user": "request.user",
    "userEmail": "request.user.email",
    "userId": "request.user.id",
    "userTeams": "request.user.teams",
    "requester": "request.user",
    "teams": "request.user.teams",
}

MEMBER_MEANT: Mapping[str, Mapping[str, str]] = {
    "request": {
        **_USER,
        **dict.fromkeys(
            ("created", "createdAt", "date", "submittedAt", "time"), "request.timestamp"
        ),
        **dict.fromkeys(("fields", "inputs", "parameters", "values"), "fields"),
        "requestId": "request.id",
        "uuid": "request.id",
    },
    "request.user": {
        **dict.fromkeys(("name", "userId", "username"), "request.user.id"),
        **dict.fromkeys(("groups", "roles"), "request.user.teams"),
        "mail": "request.user.email",
    },
    "system": {
        **_USER,
        **dict.fromkeys(("env", "stage"), "system.environment"),
        **dict.fromkeys(("accountId", "awsAccount"), "system.account"),
        **dict.fromkeys(("host", "hostName"), "system.hostname"),
        **dict.fromkeys(("now", "today"), "system.datetime"),
        "awsRegion": "system.region",
        "correlationId": "request.correlation_id",
        "correlation_id": "request.correlation_id",
        "id": "request.id",
        "requestId": "request.id",
        "request_id": "request.id",
        "today": "system.date",
    },
}
"""Members of the scopes that are the same for every document, and the path that is meant."""

PATHS_MEANT: Mapping[str, str] = {
    "Release.Name": "request.id",
    "run.createdBy": "request.user.id",
    "run.id": "request.id",
    "trigger.by.user": "request.user",
    "user.entity.metadata.name": "request.user.id",
    "user.entity.spec.profile.email": "request.user.email",
}
"""Longer beginnings of paths."""


def path_meant(written: str) -> str | None:
    """Return a path whose beginning other languages write so, as it is written here."""
    text = written.lstrip("$.")
    for theirs, ours in PATHS_MEANT.items():
        if text == theirs or text.startswith(f"{theirs}."):
            return continue_path(ours, text[len(theirs) :])
    first, dot, rest = text.partition(".")
    ours = SCOPE_MEANT.get(first, "")
    return continue_path(ours, dot + rest) if ours else None


def continue_path(ours: str, rest: str) -> str:
    """Return a path with what follows its beginning, whose first member may be another here."""
    name, dot, further = rest.removeprefix(".").partition(".")
    member = MEMBER_MEANT.get(ours, {}).get(name)
    return f"{member}{dot}{further}" if member else ours + rest
