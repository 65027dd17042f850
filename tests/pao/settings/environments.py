"""What settings are read from, and what is wrong with it."""

import base64
from collections.abc import Mapping

import pytest

from pao.settings import ConfigurationError, load_settings

KEYS = "k1:" + base64.b64encode(bytes(range(32))).decode()
PASSWORD = "correct horse battery"


def problems_of(environ: Mapping[str, str], process: str = "api") -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(environ, process=process)  # type: ignore[arg-type]  # a parametrized name
    return caught.value.problems
