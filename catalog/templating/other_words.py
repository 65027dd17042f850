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
    "b64dec": "base64decode",
    "b64enc": "base64",
    "capitalize": "title",
    "count": "len",
    "downcase": "lower",
    "equals": "eq",
    "greaterThan": "gt",
    "isEqual": "eq",
    "lessThan": "lt",
    "lowercase": "lower",
    "quote": "json",
    "regexMatch": "matches",
    "regex_match": "matches",
    "sha256": "hash",
    "sha256sum": "hash",
    "size": "len",
    "startcase": "title",
    "strip": "trim",
    "substr": "truncate",
    "substring": "truncate",
    "toLower": "lower",
    "toLowerCase": "lower",
    "toString": "string",
    "toUpper": "upper",
    "toUpperCase": "upper",
    "toYaml": "yaml",
    "to_json": "json",
    "to_yaml": "yaml",
    "upcase": "upper",
    "uppercase": "upper",
    "urlencode_component": "urlencode",
    "urlquery": "url",
    "uuidv4": "uuid",
}

SCOPE_MEANT: Mapping[str, str] = {
    **dict.fromkeys(
        ("form", "inputs", "parameters", "params", "user_input", "values", "var", "vars"), "fields"
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
