"""Payloads are read and written as Temporal's own converter does it, only faster."""

import importlib
import json
import math
import pkgutil
import types
from dataclasses import dataclass, field, fields, is_dataclass
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload
from temporalio.converter import JSONPlainPayloadConverter

from pao.clients.payload_json import DataclassJsonConverter
from pao.clients.temporal_connection import CONVERTER
from pao.core import payloads

OURS, THEIRS = DataclassJsonConverter(), JSONPlainPayloadConverter()
TEXT = st.text(max_size=8)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    Any: VALUES,
    str: TEXT,
    int: st.integers(min_value=-(2**40), max_value=2**40),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    type(None): st.none(),
}


def kinds() -> list[type]:
    """Return every dataclass that is sent to, from and between workflows."""
    modules = [
        importlib.import_module(one.name)
        for one in pkgutil.iter_modules(payloads.__path__, f"{payloads.__name__}.")
    ]
    return [
        one
        for module in modules
        for one in vars(module).values()
        if isinstance(one, type) and is_dataclass(one) and one.__module__ == module.__name__
    ]


def of(hint: Any) -> st.SearchStrategy[Any]:
    """Return a strategy for the values of a type that payloads use."""
    if hint in PLAIN:
        return PLAIN[hint]
    if get_origin(hint) in (Union, types.UnionType):
        return st.one_of([of(one) for one in get_args(hint)])
    if (origin := get_origin(hint)) is dict:
        return st.dictionaries(TEXT, of(get_args(hint)[1]), max_size=2)
    if origin in (list, tuple):
        return st.lists(of(get_args(hint)[0]), max_size=2).map(origin)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(hint)
    hints = get_type_hints(hint)
    return st.builds(hint, **{one.name: of(hints[one.name]) for one in fields(hint)})


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.__name__)
def test_either_converter_reads_what_the_other_wrote(kind: type) -> None:
    @settings(max_examples=15, deadline=None, database=None)
    @given(of(kind))
    def holds(value: Any) -> None:
        ours, theirs = OURS.to_payload(value), THEIRS.to_payload(value)
        assert ours is not None
        assert theirs is not None
        assert json.loads(ours.data) == json.loads(theirs.data)
        assert dict(ours.metadata) == dict(theirs.metadata)
        read = THEIRS.from_payload(theirs, kind)
        assert OURS.from_payload(theirs, kind) == read
        assert OURS.from_payload(ours, kind) == read

    holds()


@dataclass
class Inner:
    given: dict[str, Any] = field(default_factory=dict)


@dataclass
class Outer:
    inner: Inner = field(default_factory=Inner)
    count: int = 3


@pytest.mark.parametrize(
    "text",
    [
        '{"inner": {"given": {"a": "\\ud800"}}}',
        '{"inner": {"given": {"a": 123456789012345678901234567890}}}',
        '{"inner": {"given": {"a": 1}, "later": true}, "added": 1}',
        '{"inner": {"given": {"a": 1, "a": 2}}}',
        '{"inner": {"given": {"a": -Infinity}}, "count": 4}',
        "{}",
    ],
)
def test_whatever_the_sdk_reads_is_read(text: str) -> None:
    payload = Payload(metadata={"encoding": b"json/plain"}, data=text.encode())
    assert OURS.from_payload(payload, Outer) == THEIRS.from_payload(payload, Outer)


@pytest.mark.parametrize("text", ["[1]", '{"count": "x"}', "{", ""])
def test_whatever_the_sdk_refuses_is_refused_alike(text: str) -> None:
    payload = Payload(metadata={"encoding": b"json/plain"}, data=text.encode())
    with pytest.raises(Exception) as theirs:  # noqa: PT011 -- whichever it is
        THEIRS.from_payload(payload, Outer)
    with pytest.raises(theirs.type):
        OURS.from_payload(payload, Outer)


@pytest.mark.parametrize("value", ["\ud800", {1: 2}, [None, ()]])
def test_whatever_the_sdk_writes_is_written(value: Any) -> None:
    ours, theirs = (one.to_payload(Outer(Inner({"a": value}))) for one in (OURS, THEIRS))
    assert ours is not None
    assert theirs is not None
    assert json.loads(ours.data) == json.loads(theirs.data)


@pytest.mark.parametrize("converter", [OURS, CONVERTER.payload_converter])
def test_what_is_no_number_is_null(converter: Any) -> None:
    # Also a proof that it is the converter of every client.
    payload = converter.to_payload(Inner({"a": math.nan, "b": math.inf}))
    assert json.loads(payload.data) == {"given": {"a": None, "b": None}}
