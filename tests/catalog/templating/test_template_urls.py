"""A value in a URL stays where the template put it, however somebody spells a step."""

from typing import Any
from urllib.parse import quote

import pytest

from catalog.templating import Escaping, Names, SecretValue, TemplateError, render

NAMES = Names(groups={"g": ("a", "b", "list", "password")}, outputs=("r",))
PATH = "https://api.example.com/v1/teams/{{fields.a}}/repos/{{fields.b}}?q={{fields.a}}#x"


def rendered(template: str, target: Escaping = Escaping.URL, **fields: Any) -> str:
    scopes = {
        "fields": {"a": "x", "b": "y", "list": [], "password": SecretValue("..")} | fields,
        "outputs": {"r": {"url": "https://other.example.com/../x"}},
        "metadata": {
            "base": "https://api.example.com/v1",
            "host": "https://api.example.com",
            "zone": "eu.example.com",
            "domain": ".example.com",
        },
        "secrets": {"hook": "https://hooks.example.com/T0?sig=a/b"},
    }
    return str(render(template, scopes, NAMES, target))


STEPS = [
    ".",
    "..",
    "%2e",
    "%2e%2E",
    ".%2e",
    "%252e%252e",
    "%25252e.",
    "..\\",
    "\\..",
    "..%5c",
    "%2f..",
    "../..",
    "a/../../b",
    "a%2f..%2F..%2fb",
    "a/..",
    "./.",
    "..%2fsettings",
    "..%252Fsettings",
    ".\t.",
    "..\n",
    "\r..",
    " .. ",
    ".%09.",
    "%0a..",
    "..;",
    "..;x=1",
    ".;/..;",
    "\uff0e\uff0e",
    "\u2025",
    ".\u200b.",
    "\u2024\u2024",
    "%c0%ae%c0%ae",
    "..%00",
    "%2e%2e%00",
]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("field", ["a", "b"])
def test_a_step_is_refused_however_it_is_spelt(step: str, field: str) -> None:
    with pytest.raises(TemplateError) as caught:
        rendered(PATH, Escaping.URL, **{field: step})
    assert caught.value.id == "template-value"
    assert step not in caught.value.message.replace(". or ..", "")


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("https://h/v1/.{{fields.a}}/x", "."),
        ("https://h/v1/{{fields.a}}./x", "."),
        ("https://h/v1/.{{fields.a}}/x", ""),
        ("https://h/v1/%2e{{fields.a}}/x", "%2e"),
        ("https://h/v1/{{fields.a}}{{fields.b}}/x", "."),
        ("https://h/v1/{{url(fields.a)}}/x", ".."),
        ("https://h/v1/{{concat(fields.a, '.')}}/x", "."),
        ("https://h/v1/{{#if fields.a}}..{{/if}}/x", "1"),
        ("https://h/v1/{{#each fields.list}}{{this}}{{/each}}/x", "n"),
        ("https://h/v1/{{fields.password}}/x", "n"),
        ("/v1/{{fields.a}}/x", ".."),
        ("{{metadata.base}}/{{fields.a}}", ".."),
        ("https://h/v1\\{{fields.a}}", ".."),
        ("https://h/v1/{{fields.a}}", ".."),
        ("https://h/{{fields.a}}?x=1", ".."),
    ],
)
def test_a_step_is_refused_also_when_half_of_it_is_text(template: str, value: str) -> None:
    with pytest.raises(TemplateError) as caught:
        rendered(template, a=value, b=".", list=[".", "."])
    assert caught.value.id == "template-value"


@pytest.mark.parametrize("value", ["", " ", None, [], "\t"])
def test_a_segment_that_comes_out_empty_is_refused_within_the_path(value: Any) -> None:
    with pytest.raises(TemplateError):
        rendered(PATH, a=value)
    assert rendered("https://h/v1/{{fields.a}}", a=value).startswith("https://h/v1/")


@pytest.mark.parametrize(
    "value",
    [
        "...",
        "a..b",
        "v1.2",
        ".well-known",
        "a/b",
        "x;y",
        "ä ö",
        "..a",
        "a:b@c?d#e",
        "%",
        "50%",
        "~",
        "a/../b",
    ],
)
def test_any_other_value_is_encoded_and_stays(value: str) -> None:
    made = rendered(PATH, a=value)
    encoded = quote(value, safe="")
    expected = f"https://api.example.com/v1/teams/{encoded}/repos/y?q={encoded}#x"
    assert made == expected


def test_a_step_in_query_or_fragment_is_a_value_like_others() -> None:
    assert (
        rendered("https://h/x?path={{fields.a}}#{{fields.a}}", a="..") == "https://h/x?path=..#.."
    )


@pytest.mark.parametrize(
    "value", ["evil.com/", "evil.com#", "evil.com?", "u@evil.com", "evil.com\\", "a%2fb", "a b"]
)
def test_a_value_within_the_host_reaches_no_other(value: str) -> None:
    with pytest.raises(TemplateError):
        rendered("https://{{fields.a}}.example.com/x", a=value)
    with pytest.raises(TemplateError):
        rendered("https://example.com:{{fields.a}}/x", a=value)


@pytest.mark.parametrize(
    ("url", "value"),
    [
        ("https://api.example.com{{fields.a}}", ".evil.com"),
        ("https://api.example.com{{fields.a}}:443/x", "pany"),
        ("https://u@api.example.com{{fields.a}}?q", "-x"),
        ("https://h-{{fields.a}}/x", "1.evil.com"),
        ("https://h-{{fields.a}}/x", "1\u3002evil\uff61com"),
        ("https://api.example.com{{fields.a}}{{fields.a}}/x", "."),
        ("https://api.example.com{{fields.a}}{{fields.b}}/x", ".evil."),
        ("https://api.example.com{{#each fields.list}}{{this}}{{/each}}/x", ""),
        ("postgres://u@db1{{fields.a}},db2/x", ".evil.com"),
        ("postgres://u@db1{{fields.a}}:5432,db2:5432/x", ".evil.com"),
        ("{{metadata.host}}{{fields.a}}/x", ".evil.com"),
    ],
)
def test_a_value_behind_the_host_makes_no_other_host(url: str, value: str) -> None:
    with pytest.raises(TemplateError, match="a value extends the host name"):
        rendered(url, a=value, b="com", list=[".evil.", "com"])


def test_a_value_may_be_the_end_of_a_hosts_name() -> None:
    assert rendered("https://db{{fields.a}}:80/x", a="1") == "https://db1:80/x"
    assert rendered("https://api.{{fields.a}}/x", a="eu.example") == "https://api.eu.example/x"
    assert rendered("https://h.example{{fields.a}}", a=None) == "https://h.example"
    assert rendered("http://g.team-{{fields.a}}:80/x", a="shop") == "http://g.team-shop:80/x"
    assert rendered("https://{{fields.b}}{{fields.a}}/x", a=".example") == "https://y.example/x"


def test_author_and_operator_may_complete_the_name_of_a_host() -> None:
    assert rendered("https://vault-{{metadata.zone}}/v1") == "https://vault-eu.example.com/v1"
    made = rendered("https://app-{{fields.a}}{{metadata.domain}}/x", a="shop")
    assert made == "https://app-shop.example.com/x"
    with pytest.raises(TemplateError, match="a value within the host holds more than a name"):
        rendered("https://x.{{metadata.base}}/")
    with pytest.raises(TemplateError, match="a value extends the host name"):
        rendered("https://vault-{{metadata.zone}}{{fields.a}}/v1", a=".evil.com")


def test_a_name_within_the_host_and_a_password_before_it_are_good() -> None:
    assert (
        rendered("https://{{fields.a}}.h:{{fields.b}}/x", a="eu-1", b=80) == "https://eu-1.h:80/x"
    )
    assert rendered("https://u:{{fields.a}}@h/x", a="p/w@d") == "https://u:p%2Fw%40d@h/x"


def test_an_operators_secret_may_begin_an_address() -> None:
    assert rendered("{{secrets.hook}}") == "https://hooks.example.com/T0?sig=a/b"
    assert rendered("https://h/{{secrets.hook}}").startswith("https://h/https%3A")


def test_a_form_has_no_path() -> None:
    made = rendered("a={{fields.a}}&b=/{{fields.b}}/", Escaping.FORM, a="..", b="..")
    assert made == "a=..&b=/../"


def test_only_what_author_and_operator_set_brings_slashes_into_a_path() -> None:
    path = "states/{{metadata.base}}/{{fields.a}}"
    assert rendered(path, Escaping.PATH) == "states/https://api.example.com/v1/x"
    with pytest.raises(TemplateError, match="holds a slash"):
        rendered("states/{{outputs.r.url}}", Escaping.PATH)
