"""A secret stays secret through every function, operator, block and message."""

from typing import Any

import pytest

from catalog.templating import Escaping, Names, SecretValue, TemplateError, render, render_config

SENTINEL = "s3ntinel-Pa55"
STARS = "********"
SCOPES: dict[str, Any] = {
    "fields": {"password": SecretValue(SENTINEL), "name": "orders", "on": True},
    "secrets": {"token": SENTINEL},
}
NAMES = Names(groups={"g": ("password", "name", "on")}, outputs=())

HIDDEN = [
    "{{fields.password}}",
    "{{.User.g_password}}",
    "{{input/g/password}}",
    "{{fields['pass' ~ 'word']}}",
    "{{secrets.token}}",
    "{{fields.password | upper | lower}}",
    "{{concat('a', fields.password)}}",
    "{{fields.password ~ 'x'}}",
    "{{base64(fields.password)}}",
    "{{url(fields.password)}}",
    "{{jiraEscape(fields.password)}}",
    "{{hash(fields.password)}}",
    "{{len(fields.password)}}",
    "{{fields.password == 'x'}}",
    "{{fields.password[0] | default(fields.password)}}",
    "{{split(fields.password, '-')[1]}}",
    "{{first(split(fields.password, '-'))}}",
    "{{coalesce(null, fields.password)}}",
    "{{required(fields.password)}}",
    "{{fields.password if fields.on else 1}}",
    "{{fields.on and fields.password}}",
    "{{printf '%s' fields.password}}",
    "{{json([fields.password])}}",
    "{{#with fields.password}}{{this}}{{/with}}",
    "{{with $p := fields.password}}{{$p}}{{end}}",
    "{{string(fields) | truncate 9}}",
]
PARTLY = [
    "{{fields}}",
    "{{json(fields)}} {{fields.name}}",
    "{{[fields.password, 'a']}}",
    "{{#each fields}}{{@key}}={{this}} {{/each}}",
    "{% for k, v in items(fields) %}{{k}}={{v}} {% endfor %}",
    "{% for part in split(fields.password, '-') %}{{part}} {% endfor %}",
    "{{yaml(fields)}}!",
]


@pytest.mark.parametrize("template", HIDDEN)
def test_what_is_made_of_a_secret_shows_as_stars_only(template: str) -> None:
    assert render(template, SCOPES, NAMES, reveal=False) == STARS
    assert render(template, SCOPES, NAMES) != STARS


@pytest.mark.parametrize("target", [Escaping.NONE, Escaping.JIRA, Escaping.URL, Escaping.XML])
@pytest.mark.parametrize("template", [*HIDDEN, *PARTLY])
def test_no_target_shows_a_part_of_a_secret(template: str, target: Escaping) -> None:
    shown = str(render(template, SCOPES, NAMES, target, reveal=False))
    assert not any(part in shown for part in SENTINEL.split("-"))


def test_stars_are_put_out_as_they_are_in_every_target() -> None:
    for target in (Escaping.NONE, Escaping.JIRA, Escaping.URL, Escaping.XML):
        assert render("{{fields.password}} ", SCOPES, NAMES, target, reveal=False) == f"{STARS} "
    template = '{"a":{{fields.password}},"b":"{{json(fields.password)}}"}'
    shown = render(template, SCOPES, NAMES, Escaping.JSON, reveal=False)
    assert shown == f'{{"a":"{STARS}","b":"{STARS}"}}'


def test_a_revealed_secret_is_an_ordinary_value() -> None:
    assert render("{{fields.password}}", SCOPES, NAMES) == SENTINEL
    assert render("{{fields}}", SCOPES, NAMES)["password"] == SENTINEL
    assert render("{{fields.password | upper}}!", SCOPES, NAMES) == f"{SENTINEL.upper()}!"


def test_a_typed_value_shows_what_is_no_secret() -> None:
    shown = render_config({"f": "{{fields}}"}, SCOPES, NAMES, lambda _: Escaping.NONE, reveal=False)
    assert shown == {"f": {"password": STARS, "name": "orders", "on": True}}
    assert type(shown["f"]["password"]) is str


def test_a_secret_shows_in_no_representation() -> None:
    secret = SecretValue(SENTINEL)
    assert SENTINEL not in f"{secret} {secret!r} {[secret]} {secret:}"


@pytest.mark.parametrize(
    "template",
    [
        "{{required(null, fields.password)}}",
        "{{required(null, concat(fields.password, '!'))}}",
        "{{fields.password + 1}}",
        "{{date(fields.password, '%d')}}",
        "{{date(concat('%', fields.password))}}",
        "{{printf(concat('%', fields.password))}}",
        "{{int(fields.password)}}",
        "{{hash('a', fields.password)}}",
        "{{base64decode(fields.password)}}",
        "{{matches('a', concat('(', fields.password))}}",
        "{{fields[fields.password]}}",
        "{{uuid(fields.password)}}",
    ],
)
def test_an_error_shows_no_secret(template: str) -> None:
    scopes = {**SCOPES, "request": {"id": SENTINEL, "timestamp": "2026-03-05T14:07:09Z"}}
    with pytest.raises(TemplateError) as caught:
        render(template, scopes, NAMES)
    error: BaseException | None = caught.value
    assert SENTINEL not in f"{error} {error!r}"
    assert caught.value.__suppress_context__
