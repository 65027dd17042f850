"""What credentials look like, and what the keys are called that hold them. No documents here."""

import re
from functools import cache
from typing import Any

import re2

from catalog.loading import Path

# Of each issuer what its tokens begin with, and as much more as no other text has. They begin a
# word: after anything but a letter or digit, or after an escape of YAML, JSON or an address.
_BEFORE = r"(?:^|[^A-Za-z0-9]|\\[a-z]|%[0-9A-Fa-f]{2})"
_FORMS = (
    r"gh[opsur]_[A-Za-z0-9]{20,}",  # GitHub
    r"github_pat_[A-Za-z0-9_]{20,}",
    r"gl(?:pat|ptt|dt|rt|cbt|ft|agent|soat)-[A-Za-z0-9_-]{20,}",  # GitLab
    r"xox[abeprs]-[A-Za-z0-9-]{10,}|xapp-[0-9]-[A-Za-z0-9-]{10,}",  # Slack
    r"(?:AKIA|ASIA)[A-Z0-9]{16}\b",  # AWS
    r"AIza[A-Za-z0-9_-]{35}|GOCSPX-[A-Za-z0-9_-]{20,}|ya29\.[A-Za-z0-9_-]{20,}",  # Google
    r"(?:sk|rk)_live_[A-Za-z0-9]{20,}",  # Stripe
    r"AT(?:ATT|CTT|BB)[A-Za-z0-9_=-]{20,}",  # Atlassian
    r"npm_[A-Za-z0-9]{36}|pypi-AgE[A-Za-z0-9_-]{20,}|rubygems_[0-9a-f]{48}",
    r"dckr_pat_[A-Za-z0-9_-]{20,}",  # Docker
    r"hv[bs]\.[A-Za-z0-9_-]{24,}",  # HashiCorp
    r"sk-(?:ant|proj|svcacct)-[A-Za-z0-9_-]{20,}",
    r"gl(?:sa|c)_[A-Za-z0-9=_]{32,}|NRAK-[A-Z0-9]{27}|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
    r"dop_v1_[0-9a-f]{64}|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}|dapi[0-9a-f]{32}",
    r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.",  # JSON Web Tokens
    r"AGE-SECRET-KEY-1[A-Z0-9]{20,}",
)
# These are certain within a word, too.
_FORMS_ANYWHERE = (
    r"hooks\.slack\.com/services/T[A-Z0-9]+/B[A-Z0-9]+/[A-Za-z0-9]{16,}",
    r"\.webhook\.office\.com/webhookb2/[0-9a-f-]{36}@|discord(?:app)?\.com/api/webhooks/[0-9]{16,}/",
    r"(?i:aws_secret_access_key)[\"']?\s*[:=]\s*[\"']?[A-Za-z0-9/+]{40}",
    r"AccountKey=[A-Za-z0-9+/]{40,}|[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}",  # Azure
    r"\.atlasv1\.[A-Za-z0-9_-]{60,}",  # HashiCorp
    r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----",
)
_WORD = (
    r"(?:password|passwd|passphrase|token|(?:client[-_]?)?secret|secret[-_]?access[-_]?key"
    r"|(?:api|access|private|auth)[-_]?key)"
)
_KEYS = re.compile(rf"(?:.*[-_])?{_WORD}", re.IGNORECASE)
_CAMEL_KEYS = re.compile(
    r".*[a-z0-9](?:Password|Passwd|Passphrase|Token|Secret|ApiKey|AccessKey|PrivateKey|AuthKey)"
)
# Where the next page of a list begins is no credential.
_PAGING = re.compile(
    r"(?:.*[-_])?(?:next|prev|previous)?[-_]?"
    r"(?:page|paging|pagination|continuation|cursor|next|skip)[-_]?token",
    re.IGNORECASE,
)
_HEADER = re.compile(r"(?:proxy-)?authorization|cookie", re.IGNORECASE)
_IN_ADDRESS = re.compile(r"[a-z][a-z0-9+]*://[^/?#\s:@{]*:[^/?#\s@{]+@", re.IGNORECASE)


def is_credential(text: str) -> bool:
    """Return whether there is something in a text that has the form of a credential."""
    return _any_form().search(text) is not None


@cache
def _any_form() -> Any:
    # One pass in an engine that does not backtrack: every text of a catalog is searched.
    beginning = f"{_BEFORE}(?:{'|'.join(_FORMS)})"
    return re2.compile("|".join((beginning, *_FORMS_ANYWHERE)))


def is_literal_credential(path: Path, text: str) -> bool:
    """Return whether a text of a configuration is a credential by its key, or holds one."""
    return bool(text) and (_names_credential(path) or _IN_ADDRESS.match(text) is not None)


def _names_credential(path: Path) -> bool:
    last: Any = path[-1]
    if path[-2:] == ("authentication", "key"):
        return True
    if isinstance(last, int) or _PAGING.fullmatch(last):
        return False
    is_header = path[-2] == "headers" and _HEADER.fullmatch(last) is not None
    return is_header or bool(_KEYS.fullmatch(last) or _CAMEL_KEYS.fullmatch(last))
