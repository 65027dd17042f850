"""Masks secrets in texts and values. What is masked before it leaves an activity: disclosure.py."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from pao.core.names import MASK
from pao.runtime.secret_forms import (
    DEPTH,
    base64_cores,
    decode,
    direct_forms,
    fold,
    plain_forms,
    strip_separators,
    unescape,
)

SHORTEST_SECRET = 4  # Masking shorter texts would only garble messages.
# Within the keys and addresses that a target returns, a short secret is met by chance: it is masked
# as a whole word only.
SHORTEST_WITHIN_VALUE = 8
SHORTEST_PREFIX = 3
_CUT_WORDS = "(?:[Tt]runcated|[Ss]nip|[Cc]ut|[0-9][0-9,.]{0,15} (?:more|char|byte))"
# The search is quick because each alternative begins with a different character.
_CUT = re.compile(
    r"\N{HORIZONTAL ELLIPSIS}|\.\.\.|\N{REPLACEMENT CHARACTER}"
    rf"|\[{_CUT_WORDS}|\({_CUT_WORDS}|<{_CUT_WORDS}"
)
_BEFORE_CUT = "[(< "
_MOST_BEFORE_CUT = 4
_MOST_CUTS = 50
_MANY = 32
_FEW = 8
_SHORTEST_ENCODED = 6
_WORD = re.compile(r"\w")


class SecretMasks:
    """The secrets that one execution has met; whatever it reports is masked with all of them."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: set[str] = set()
        self._forms: _Forms | None = None
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Mask a value from now on, such as a token that was fetched for this call."""
        if secret not in self._secrets:
            self._secrets.add(secret)
            self._forms = None

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._secrets))

    def hide(self, text: str, *, whole: bool = False) -> str:
        """Return a message or body with every secret masked, including cut-off ones.

        A text that holds a secret in a form that cannot be replaced keeps nothing but its length.
        ``whole`` says that nobody has cut the text at its end: an id there keeps its last
        characters even if a secret happens to begin with them.
        """
        return self._search_forms().hide(text, within=SHORTEST_SECRET, cut=not whole)

    def hide_in(self, value: Any) -> Any:
        """Return a copy of a JSON value without secrets, in texts, numbers and keys.

        Longer secrets are found within texts, shorter ones as whole words and whole values.
        """
        if isinstance(value, str):
            return self._hide_in_text(value)
        if isinstance(value, dict | list | tuple):
            return self._hide_in_members(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return MASK if self._search_forms().is_number(value) else value
        return value

    def _hide_in_members(self, value: Any) -> Any:
        if isinstance(value, dict):
            # Keys and values alternate, so that both are searched together.
            flat = self._hide_in_list([one for pair in value.items() for one in pair])
            return dict(zip(flat[::2], flat[1::2], strict=True))
        return self._hide_in_list(list(value))

    def _hide_in_list(self, members: list[Any]) -> list[Any]:
        """Search many texts at once, because most hold no secret; halve the list where one does."""
        if len(members) < _FEW or sum(1 for _ in islice(_texts_in(members), _MANY)) < _MANY:
            return [self.hide_in(one) for one in members]
        if self._is_clean([*_texts_in(members)]):
            copied: list[Any] = _without_numbers(self._search_forms(), members)
            return copied
        half = len(members) // 2
        return self._hide_in_list(members[:half]) + self._hide_in_list(members[half:])

    def _is_clean(self, texts: list[str]) -> bool:
        joined = "\n".join(texts)
        if len(_CUT.findall(joined)) >= _MOST_CUTS or not self._secrets.isdisjoint(texts):
            return False
        return self._search_forms().hide(joined, within=SHORTEST_WITHIN_VALUE, cut=False) == joined

    def _hide_in_text(self, text: str) -> str:
        if text in self._secrets and text:
            return MASK
        return self._search_forms().hide(text, within=SHORTEST_WITHIN_VALUE, cut=False)

    def _search_forms(self) -> "_Forms":
        if self._forms is None:
            self._forms = _Forms(self._secrets)
        return self._forms


def _texts_in(value: Any) -> Iterator[str]:
    """Return every text of a JSON value, keys included."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list | tuple):
            waiting += one


def _without_numbers(forms: "_Forms", value: Any) -> Any:
    """Return a copy of a value with its numbers masked; its texts are known to hold no secret."""
    if isinstance(value, dict):
        return {key: _without_numbers(forms, member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_without_numbers(forms, member) for member in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return MASK if forms.is_number(value) else value
    return value


def hide_secrets(text: str, secrets: Iterable[str]) -> str:
    """Return a text with every secret masked, also where a target has returned it escaped."""
    return SecretMasks(secrets).hide(text)


class _Forms:
    """All forms of some secrets, ready to be searched for; ``case`` counts in none of them."""

    def __init__(self, secrets: Iterable[str]) -> None:
        long_enough = [one for one in secrets if len(one) >= SHORTEST_SECRET and not one.isspace()]
        self._secrets = long_enough
        self._direct = _longest_first(form for one in long_enough for form in direct_forms(one))
        self._lowercase = _longest_first(form.lower() for form in self._direct)
        plain = {form for one in long_enough for form in plain_forms(one)}
        self._short = {fold(one) for one in plain if len(one) < SHORTEST_WITHIN_VALUE}
        compact = {_compact(fold(one)) for one in plain}
        longer = {one for one in compact if len(one) >= SHORTEST_WITHIN_VALUE}
        self._bare = {
            form for one in longer if len(form := strip_separators(one)) >= SHORTEST_WITHIN_VALUE
        }
        self._compact = {one for one in longer if strip_separators(one) not in self._bare}
        self._cores = {core for one in long_enough for core in base64_cores(one)}
        self._prefixes = [*self._lowercase, *{core.lower() for core in self._cores}]
        self._numbers = {
            number for one in long_enough if (number := _canonical_number(one)) is not None
        }

    def hide(self, text: str, *, within: int, cut: bool) -> str:
        """Return the text with secrets masked; from ``within`` characters on also inside words.

        With ``cut`` the text may end in the middle of a secret.
        """
        if len(text) < SHORTEST_PREFIX or not self._secrets:
            return text
        masked = self._hide_cut_off(self._replace_forms(text, within), at_end=cut)
        if self._is_hidden_in(masked) or self._begins_at_cut(masked, at_end=cut):
            return f"[hidden: {len(text):,} characters that hold a secret in another form]"
        return masked

    def is_number(self, value: float) -> bool:
        """Return whether a number is a secret, such as a PIN."""
        if not self._numbers:
            return False
        return len(str(value)) >= SHORTEST_SECRET and _canonical_number(str(value)) in self._numbers

    def _replace_forms(self, text: str, within: int) -> str:
        for form in _that_fit(self._direct, text):
            if form in text:
                text = _replace(text, form, whole=len(form) < within)
        lowered = _lowercase(text)
        spans = [
            (at, at + len(form))
            for form in _that_fit(self._lowercase, lowered)
            for at in _find_all(lowered, form, whole=len(form) < within)
        ]
        return _with_stars(text, spans) if spans else text

    def _hide_cut_off(self, text: str, *, at_end: bool) -> str:
        """Hide the beginning of a secret where the text was cut."""
        ends = _ends(text, at_end=at_end)
        lowered = _lowercase(text)
        spans = [(end - size, end) for end in ends if (size := self._prefix_length(lowered[:end]))]
        return _with_stars(text, spans) if spans else text

    def _begins_at_cut(self, text: str, *, at_end: bool) -> bool:
        """Return whether a text that was cut begins a secret there once its escapes are undone."""
        return any(
            self._prefix_length(_lowercase(copy)[:end]) >= SHORTEST_WITHIN_VALUE
            for copy in unescape(text)
            for end in _ends(copy, at_end=at_end)
        )

    def _prefix_length(self, text: str) -> int:
        """Return how many characters at the text's end begin a secret."""
        longest = 0
        for form in self._prefixes:
            start, tail = form[:SHORTEST_PREFIX], text[-len(form) :]
            at = tail.find(start)
            while at >= 0:
                if form.startswith(tail[at:]):
                    longest = max(longest, len(tail) - at)
                    break
                at = tail.find(start, at + 1)
        return longest

    def _is_hidden_in(self, text: str, depth: int = DEPTH) -> bool:
        """Return whether a secret is found once the text is decoded, in whichever order."""
        copies = [text, *unescape(text)]
        if any(map(self._holds, copies)) or self._has_core(copies):
            return True
        if depth == 0 or len(text) < _SHORTEST_ENCODED:
            return False
        inner = {one for copy in copies[-1:] + copies[:1] for one in decode(copy)}
        legible = "\n".join(one for one in inner if "\N{REPLACEMENT CHARACTER}" not in one)
        return self._holds("\n".join(inner)) or self._is_hidden_in(legible, depth - 1)

    def _has_core(self, copies: Iterable[str]) -> bool:
        compact = ["".join(copy.split()) for copy in copies if len(copy) >= _SHORTEST_ENCODED]
        return any(core in copy for copy in compact for core in self._cores)

    def _holds(self, text: str) -> bool:
        plain = fold(text)
        stripped = strip_separators(plain)
        if any(one in stripped for one in self._bare):
            return True
        if self._compact and any(map(_compact(plain).__contains__, self._compact)):
            return True
        return any(
            one in plain and any(True for _ in _find_all(plain, one, whole=True))
            for one in self._short
        )


def _ends(text: str, *, at_end: bool) -> list[int]:
    """Return where a text may have been cut."""
    ends = [len(text)] if at_end else []
    for mark in islice(_CUT.finditer(text), _MOST_CUTS):
        at = mark.start()
        before = text[max(at - _MOST_BEFORE_CUT, 0) : at]
        ends += {at, at - len(before) + len(before.rstrip(_BEFORE_CUT))}
    return ends


def _lowercase(text: str) -> str:
    """Return the text in small letters, character by character where that is possible."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else text


def _longest_first(forms: Iterable[str]) -> list[str]:
    """Return the forms that are long enough, each once, the longest first."""
    return sorted({one for one in forms if len(one) >= SHORTEST_SECRET}, key=len, reverse=True)


def _that_fit(forms: list[str], text: str) -> Iterable[str]:
    """Return those of the forms, longest first, that are no longer than a text."""
    first = bisect_left(forms, -len(text), key=lambda form: -len(form))
    return islice(forms, first, None)


def _replace(text: str, form: str, *, whole: bool) -> str:
    if not whole:
        return text.replace(form, MASK)
    return _with_stars(text, [(at, at + len(form)) for at in _find_all(text, form, whole=True)])


def _find_all(text: str, form: str, *, whole: bool) -> Iterator[int]:
    """Yield where a form occurs in a text; ``whole``: not within a word."""
    at = text.find(form)
    while at >= 0:
        if not whole or _is_word(text, at, at + len(form)):
            yield at
        at = text.find(form, at + 1)


def _is_word(text: str, start: int, end: int) -> bool:
    """Return whether a piece of a text is no part of a longer word."""
    return not _is_inside_word(text, start) and not _is_inside_word(text, end)


def _is_inside_word(text: str, at: int) -> bool:
    if at in (0, len(text)):
        return False
    return bool(_WORD.match(text[at - 1]) and _WORD.match(text[at]))


def _with_stars(text: str, spans: list[tuple[int, int]]) -> str:
    parts, at = [], 0
    for start, end in sorted(spans):
        if end <= at:
            continue
        if start >= at:
            parts += [text[at:start], MASK]
        at = end
    return "".join([*parts, text[at:]])


def _compact(text: str) -> str:
    return "".join(text.split())


def _canonical_number(text: str) -> str | None:
    """Return a number in its canonical spelling: 0471.10 is 471.1; None if it is none."""
    if not re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?", text):
        return None
    sign = "-" if text.startswith("-") else ""
    whole, _, fraction = text.lstrip("+-").partition(".")
    rest = fraction.rstrip("0")
    return sign + (whole.lstrip("0") or "0") + (f".{rest}" if rest else "")
