"""What functions and blocks make of a secret is told, so that it is masked where it comes back."""

import base64
import hashlib
from typing import Any

import pytest

from catalog.templating import Escaping, Names, SecretValue, render, render_config

PASSWORD = "s3ntinel-Pa55"
TOKEN = "tok-0123456789-abcdef"
SCOPES: dict[str, Any] = {
    "fields": {"password": SecretValue(PASSWORD), "pin": SecretValue("4711"), "name": "orders"},
    "secrets": {"token": TOKEN, "hook": "https://hooks.example.com/T0/B0/xyz"},
}
NAMES = Names(groups={"g": ("password", "pin", "name")}, outputs=())
BASIC = base64.b64encode(f"svc:{TOKEN}".encode()).decode()
DIGEST = hashlib.sha256(TOKEN.encode()).hexdigest()


def learnt(template: str, target: Escaping = Escaping.NONE) -> set[str]:
    told: set[str] = set()
    render(template, SCOPES, NAMES, target, learn=told.add)
    return told


@pytest.mark.parametrize(
    ("template", "made"),
    [
        ('Basic {{base64(concat("svc:", secrets.token))}}', BASIC),
        ('{{base64(concat("svc:", secrets.token))}}', BASIC),
        ("{{upper(fields.password)}}!", PASSWORD.upper()),
        ("{{fields.password | upper}}", PASSWORD.upper()),
        ("{{truncate(fields.password, 6)}}", "s3nti\u2026"),
        ("{{truncate(fields.password, 6)}}", "s3nti"),
        ("{{hash(secrets.token)}}", DIGEST),
        ('{{concat("id-", hash(secrets.token))}}', DIGEST),
        ('{{replace(fields.password, "-", "_")}}', PASSWORD.replace("-", "_")),
        ("{{slugify(fields.password)}}", "s3ntinel-pa55"),
        ('{{printf "%s/%s" fields.name fields.password}}', f"orders/{PASSWORD}"),
        ('{{join([fields.name, fields.password], "+")}}', f"orders+{PASSWORD}"),
        ("{{fields.name ~ fields.password}}", f"orders{PASSWORD}"),
        ('{{split(fields.password, "-")[0]}}', "s3ntinel"),
        ('{{last(split(fields.password, "-"))}}', "Pa55"),
        ("{{int(fields.pin)}}", "4711"),
        ("{{json({'p': fields.password})}}", f'{{"p":"{PASSWORD}"}}'),
        ("{{yaml([fields.password])}}.", f"- {PASSWORD}"),
        ("{{#with fields.password}}{{upper(this)}}{{/with}}", PASSWORD.upper()),
        ("{{#each split(fields.password, 'n')}}{{this}}.{{/each}}", "s3.ti.el-Pa55."),
        ("{{range split(fields.password, 'n')}}{{.}}.{{end}}", "s3.ti.el-Pa55."),
        ("{% for c in split(fields.password, 'n') %}{{c}} {% endfor %}", "s3 ti el-Pa55 "),
        ("{{first(split(fields.password, 'n'))}}{{last(split(fields.password, '-'))}}", "s3Pa55"),
        ("{{concat(upper(fields.password), '!') if fields.name else 1}}", f"{PASSWORD.upper()}!"),
    ],
)
def test_what_is_made_of_a_secret_is_told(template: str, made: str) -> None:
    assert made in learnt(template)


def test_what_is_told_includes_how_it_was_written() -> None:
    told = learnt('{"a": "{{concat(fields.password, "<\\"")}}"}', Escaping.JSON)
    assert f'{PASSWORD}<\\"' in told
    assert f"{PASSWORD}<&quot;" not in told
    assert f"{PASSWORD}&lt;" in learnt("<a>{{concat(fields.password, '<')}}</a>", Escaping.XML)


@pytest.mark.parametrize(
    "template",
    [
        "{{fields.name}} and {{upper(fields.name)}}",
        "{{fields.password == 'x'}}",
        "{{string(fields.password == 'x')}}!",
        "{{len(fields.password)}}",
        "{{default(fields.name, secrets.token)}}",
        "{{coalesce(fields.name, secrets.token)}}",
        "{{#if fields.password}}a literal text{{/if}}",
        "{{'strong' if len(fields.password) > 8 else 'weak'}}",
        "{{contains(fields.password, 'x')}}",
        "{{#if contains(secrets.hook, 'example')}}{{fields.name}}{{/if}}",
        "{{first(split(secrets.hook, '://'))}}",
    ],
)
def test_what_tells_nothing_of_a_secret_is_not_told(template: str) -> None:
    assert learnt(template) == set()


def test_a_whole_configuration_is_told_of() -> None:
    told: set[str] = set()
    config = {"h": {"A": "Basic {{base64(secrets.token)}}"}, "l": ["{{upper(fields.password)}}"]}
    render_config(config, SCOPES, NAMES, lambda _: Escaping.NONE, learn=told.add)
    assert {PASSWORD.upper(), base64.b64encode(TOKEN.encode()).decode()} <= told


def test_a_rendering_with_stars_tells_nothing() -> None:
    told: set[str] = set()
    render("{{upper(fields.password)}}!", SCOPES, NAMES, reveal=False, learn=told.add)
    assert told == set()
