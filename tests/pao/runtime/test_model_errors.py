"""What pydantic finds wrong, in the words that people read."""

from typing import Annotated

import pytest
from pydantic import AfterValidator, BaseModel, Field, ValidationError, model_validator

from pao.runtime.model_errors import messages_of


def _even(number: int) -> int:
    if number % 2:
        raise ValueError("write an even number")
    return number


def _short(text: str) -> str:
    if len(text) > 2:
        raise AssertionError("write two characters at most")
    return text


class _Inner(BaseModel):
    number: Annotated[int, AfterValidator(_even)] = 0
    text: Annotated[str, AfterValidator(_short)] = ""


class _Outer(BaseModel):
    inner: Annotated[list[_Inner], Field(max_length=2)] = []
    share: Annotated[int, Field(ge=1, le=9)] = 1
    whole: bool = True

    @model_validator(mode="after")
    def _judged(self) -> "_Outer":
        if not self.whole:
            raise ValueError("it must be whole")
        return self


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"inner": [{"number": 2}, {"number": 3}]}, ["inner.1.number: write an even number"]),
        ({"inner": [{"text": "abc"}]}, ["inner.0.text: write two characters at most"]),
        ({"whole": False}, ["it must be whole"]),
        ({"share": 0}, ["share: must be at least 1"]),
        ({"share": 10}, ["share: must be at most 9"]),
        ({"inner": [{}, {}, {}]}, ["inner: must have at most 2 items, not 3"]),
        (
            {"inner": 1, "whole": "x"},
            [
                "inner: must be a list",
                "whole: must be true or false",
            ],
        ),
    ],
)
def test_what_a_validator_of_ours_says_stands_by_itself(given: object, told: list[str]) -> None:
    with pytest.raises(ValidationError) as caught:
        _Outer.model_validate(given)
    assert list(messages_of(caught.value)) == told
