"""The grammar's sentences, one case each, beyond the vectors."""

from typing import Any

import pytest

from catalog.templating import (
    Escaping,
    Names,
    TemplateError,
    check,
    check_when,
    evaluate_when,
    render,
    render_config,
)

SCOPES: dict[str, Any] = {
    "fields": {
        "name": "orders",
        "n": 7,
        "half": 2.5,
        "on": True,
        "items": ["a", "b"],
        "map": {"k": 1, "0": "zero", "in": 2},
        "rows": [{"name": "Ann", "env": "x", "tags": ["t"]}, {"name": "Bo"}],
        "null": None,
        "text": 'a{b} "c" <d>',
        "pairs": [[1, 2], [3, 4]],
    },
    "metadata": {"id": "db", "base": "https://h/v1", "owner": {"team": "core"}},
    "request": {
        "id": "3f2b8c1e-7a44-4c55-9d10-0a1b2c3d4e5f",
        "timestamp": "2026-03-05T14:07:09Z",
        "correlation_id": "c-1",
        "user": {"id": "u", "email": "a@b.c", "teams": ["core"]},
        "data": {},
    },
    "system": {"region": "eu"},
    "environment": {"REGION": "eu"},
    "outputs": {"step-1": {"key": "K-1"}},
    "fulfillment": {"Key": "F"},
    "components": {"app": {"id": "app", "outputs": {"host": "h"}}},
}
NAMES = Names(
    groups={"basic": tuple(SCOPES["fields"])},
    outputs=("step-1",),
    components=("app",),
    environment=("REGION",),
    item="db",
)

GIVES = [
    # Tags and white space
    ("a}}b", "a}}b"),
    ("{{ {'a': {'b': 1}}.a.b }}x", "1x"),
    ("a {{- 3}}", "a3"),
    ("{{-3}}", 3),
    ("{{ index(fields.null, 0) | default('none') }}", "none"),
    ("{{ lookup(fields.name, 'x') is defined }}", False),
    ("{{ yaml(fields.n) }}", "7"),
    ("{{ yaml(fields.null) }}", "null"),
    ("{{ yaml(fields.name) }}", "orders"),
    ("{{ input/basic/items/1 }}", "b"),
    ("{{ -3 }}", -3),
    ("{{fields.name}}\n", "orders\n"),
    ("a\r\n{{#if true}}\r\nb\r\n{{/if}}\r\nc", "a\r\nb\r\nc"),
    ("{{#if true}}{{#if true}}\nx{{/if}}{{/if}}", "\nx"),
    ("a\n{{/* c */}}\nb", "a\n\nb"),
    ("a\n{# c #}\nb", "a\n\nb"),
    ("a {#- c -#} b", "ab"),
    ("a {{~! c ~}} b", "ab"),
    ("{{{{fields.name}}"[2:], "orders"),
    ("{% raw -%} {{ x }} {%- endraw %}", "{{ x }}"),
    ("{{fields.name}}}", "orders}"),
    ("${{ inputs.name }}", "${{ inputs.name }}"),
    ("$ {{fields.n}}", "$ 7"),
    # Operators
    ("{{ 1 + 2 * 3 }}", 7),
    ("{{ 7 - 2 - 1 }}", 4),
    ("{{ -7 // 2 }}", -4),
    ("{{ -7 % 3 }}", 2),
    ("{{ 10 / 4 }}", 2.5),
    ("{{ 10 / 5 }}!", "2!"),
    ("{{ 1 < 2 <= 2 }}", True),
    ("{{ 1 < 2 < 2 }}", False),
    ("{{ not 1 == 2 }}", True),
    ("{{ 1 == 1.0 }}", True),
    ("{{ [1, {'a': true}] == [1.0, {'a': true}] }}", True),
    ("{{ true == 1 }}", False),
    ("{{ 'k' in fields.map }}", True),
    ("{{ 3 not in [1, 2] }}", True),
    ("{{ 'a' if false else 'b' if false else 'c' }}", "c"),
    ("{{ fields.name is string and fields.n is number }}", True),
    ("{{ metadata.zzz is defined }}", False),
    ("{{ metadata.zzz is not defined }}", True),
    ("{{ fields.items is sequence }}", True),
    ("{{ fields.map.in }}", 2),
    ("{{ 1e3 }}", 1000),
    ("{{ [1, [2]] }}", [1, [2]]),
    ("{{ nil }}", None),
    ("{{ `a\\n` }}", "a\\n"),
    ("{{ '\\ud83d\\ude00' }}", "😀"),
    # Calls
    ("{{ eq 1 2 1 and true }}", True),
    ("{{ upper(lower('Ab')) }}", "AB"),
    ("{{ fields.name | truncate 3 '.' | upper }}", "OR."),
    ("{{ index fields.pairs 1 0 }}", 3),
    ("{{ len(fields.items) + 1 }}", 3),
    ("{{ and 1 0 2 }}", 0),
    ("{{ or(false, null, 'x') }}", "x"),
    ("{{ true | not }}", False),
    ("{{ coalesce 'x' fields.name }}", "x"),
    ("{{ default(metadata.a.b.c, 'd') }}", "d"),
    ("{{ printf '%5.1f|%-4s|%q|%t|%%' 2.25 'ab' 'c' true }}", '  2.2|ab  |"c"|true|%'),
    # Names
    ("{{ fields['name'] }}", "orders"),
    ("{{ fields.map[0] }}", "zero"),
    ("{{ fields.map.0 }}", "zero"),
    ("{{ fields.items.[1] }}", "b"),
    ("{{ fields.items[-2] }}", "a"),
    ("{{ outputs.step-1.key }}", "K-1"),
    ("{{ output/step-1/key }}", "K-1"),
    ("{{ output/db/app/host }}", "h"),
    ("{{ input/basic/items/0 }}", "a"),
    ("{{ .System.DateTime }}", "2026-03-05T14:07:09Z"),
    ("{{ $.User.basic_name }}", "orders"),
    ("{{ request.correlationId }}", "c-1"),
    ("{{ system/platform/region }}", "eu"),
    ("{{ timestamp }}", 1772719629),
    # Blocks
    ("{{#each fields.items}}{{this}}{{else if fields.on}}!{{/each}}", "ab"),
    ("{{#each []}}x{{else if fields.on}}yes{{else}}no{{/each}}", "yes"),
    ("{{#with fields.map}}{{#each ../fields.items}}{{../k}}{{this}}{{/each}}{{/with}}", "1a1b"),
    ("{{#each fields.rows}}{{with .tags}}{{@index}}{{/* */}}{{end}}{{/each}}", "0"),
    ("{{range $i, $v := .User.basic_map}}{{$i}}{{$v}} {{end}}", "k1 0zero in2 "),
    ("{{range $_ := .User.basic_items}}{{$_}}{{end}}", "ab"),
    ("{% for a, b in fields.pairs %}{{ a + b }},{% endfor %}", "3,7,"),
    ("{% for k in fields.map %}{{ k }}{% endfor %}", "k0in"),
    ("{% for x in fields.items %}{% for x in [1] %}{{ x }}{% endfor %}{{ x }}{% endfor %}", "1a1b"),
    ("{% for x in fields.null %}{% else %}none{% endfor %}", "none"),
    ("{% for x in metadata.zzz %}{% else %}none{% endfor %}", "none"),
    ("{{#each fields}}{{#if (eq @key 'null')}}never{{/if}}{{/each}}", ""),
    ("{{#unless false}}a{{else if true}}b{{/unless}}", "a"),
    ("{{#unless true}}a{{else if true}}b{{/unless}}", "b"),
    ("{{#if fields.on}}{{@root.fields.n}}{{/if}}", "7"),
    # Functions
    ("{{ unique([1, 1.0, true, '1']) }}", [1, True, "1"]),
    ("{{ sort(['b', 'a']) }}", ["a", "b"]),
    ("{{ items(fields.map)[0] }}", ["k", 1]),
    ("{{ first([]) }}", None),
    ("{{ int('+0012') }}", 12),
    ("{{ int('10') }}", 10),
    ("{{ int(-2.9) }}", -2),
    ("{{ truncate('abc', 1, '...') }}", "."),
    ("{{ yaml({'a': [1, 2.0]}) }}", "a:\n- 1\n- 2"),
    ("{{ date('%I %p') }}", "02 PM"),
    ("{{ string(null) ~ string([1, null]) }}", "1, "),
    ("{{ hash('a', 'sha1') }}", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"),
    ("{{ title('ÉTÉ à la') }}", "Été À La"),
    ("{{ join([1, null, {'a': 1}], '-') }}", '1--{"a":1}'),
]
FAILS = [
    ("{{ -2 | string }}", "template-type"),
    ("{{ fields.zzz.y is undefined if false else 1 }}", "template-name"),
    ("{{ fields.n | printf '%03d|%-3s|' }}", "template-arguments"),
    ("{{#each fields.rows}}{{this.env}}{{/each}}", "template-undefined"),
    ("{{#each fields.rows}}{{#if @first}}{{../this.name}}{{/if}}{{/each}}", "template-scope"),
    ("{{ 1 + 1 ~ 1 }}", "template-type"),
    ("{{ fields.n -1 }}", "template-syntax"),
    ("{{ this/name }}", "template-syntax"),
    ("{{ a }}{{ b c }}", "template-scope"),
    ("{{ a }}{{ b.c d }}", "template-syntax"),
    ("{{ fields.name 'x' }}", "template-syntax"),
    ("{{#if}}x{{/if}}", "template-syntax"),
    ("{{else}}", "template-syntax"),
    ("{{#if true}}{{else}}{{else}}{{/if}}", "template-syntax"),
    ("{{#if true}}{% if true %}{{/if}}{% endif %}", "template-syntax"),
    ("{% if true %}{% elif %}{% endif %}", "template-syntax"),
    ("{% for x in [] %}{% elif true %}{% endfor %}", "template-syntax"),
    ("{{/}}", "template-syntax"),
    ("{{ '\\x' }}", "template-syntax"),
    ("{{ '\\ud83d' }}", "template-syntax"),
    ("{{ {1: 2} }}", "template-syntax"),
    ("{{ fields..name }}", "template-syntax"),
    ("{{{ #if x }}}", "template-syntax"),
    ("{{^x}}", "template-refused"),
    ("{{&x}}", "template-refused"),
    ("{{=<% %>=}}", "template-refused"),
    ("{{{{raw}}}}", "template-refused"),
    ("{{#> p}}{{/p}}", "template-refused"),
    ("{{#each fields.items as |p|}}{{/each}}", "template-refused"),
    ("{{#if true}}{{else with fields.map}}{{/if}}", "template-refused"),
    ("{{define 'x'}}{{end}}", "template-refused"),
    ("{{break}}", "template-refused"),
    ("{{if $x := 1}}{{end}}", "template-refused"),
    ("{{$x = 1}}", "template-refused"),
    ("{% for x in fields.items recursive %}{% endfor %}", "template-refused"),
    ("{% for url in fields.items %}{% endfor %}", "template-refused"),
    ("{% for loop in fields.items %}{% endfor %}", "template-refused"),
    ("{% for x in fields.items %}{{ loop.cycle }}{% endfor %}", "template-refused"),
    ("{%~ if true %}{% endif %}", "template-refused"),
    ("{{ upper(*fields.items) }}", "template-refused"),
    ("{{ fields.items[1:] }}", "template-refused"),
    ("{{ fields.items[:1] }}", "template-refused"),
    ("{{ upper('a')('b') }}", "template-refused"),
    ("{{ _x }}", "template-refused"),
    ("{{ fields.map._x }}", "template-refused"),
    ("{{ fields | nope }}", "template-function"),
    ("{{ 1 is odd }}", "template-function"),
    ("{{ upper() }}", "template-arguments"),
    ("{{ upper }}", "template-arguments"),
    ("{{ default 'x' fields.name }}", "template-arguments"),
    ("{{ this }}", "template-scope"),
    ("{{ . }}", "template-scope"),
    ("{{ .fields.name }}", "template-scope"),
    ("{{ $x }}", "template-scope"),
    ("{{ @index }}", "template-scope"),
    ("{{ @root.fields.name }}", "template-scope"),
    ("{{ ../fields.name }}", "template-scope"),
    ("{{#with fields.map}}{{@index}}{{/with}}", "template-scope"),
    ("{{ failure.error }}", "template-scope"),
    ("{{ env.HOME }}", "template-name"),
    ("{{ components.nope.status }}", "template-name"),
    ("{{ system.nope }}", "template-name"),
    ("{{ .System }}", "template-name"),
    ("{{ .System.Nope }}", "template-name"),
    ("{{ .User.basic_nope }}", "template-name"),
    ("{{ fields['nope'] }}", "template-name"),
    ("{{ fields['no' ~ 'pe'] }}", "template-undefined"),
    ("{{ metadata.nope }}", "template-undefined"),
    ("{{ metadata.id.nope }}", "template-undefined"),
    ("{{ metadata.nope == 1 }}", "template-undefined"),
    ("{{ 1 in 'a1' }}", "template-type"),
    ("{{ true + 1 }}", "template-type"),
    ("{{#each 5}}{{/each}}", "template-type"),
    ("{% for a, b in [1] %}{% endfor %}", "template-type"),
    ("{{ sort([1, 'a']) }}", "template-type"),
    ("{{ len(null) }}", "template-type"),
    ("{{ index(null, 0) }}", "template-undefined"),
    ("{{ lookup('abc', 'x') }}", "template-undefined"),
    ("{{ input/basic/map.k }}", "template-syntax"),
    ("{{ input/basic/items[0] }}", "template-syntax"),
    ('{{ output/step-1/key["x"] }}', "template-syntax"),
    ("{{ replace('a', '', 'b') }}", "template-value"),
    ("{{ split('a', '') }}", "template-value"),
    ("{{ random(2, 1) }}", "template-value"),
    ("{{ date('yesterday', '%d') }}", "template-value"),
    ("{{ date(1e15, '%d') }}", "template-value"),
    ("{{ json(1, 9) }}", "template-value"),
    ("{{ int('x') }}", "template-value"),
    ("{{ printf '%d' }}", "template-arguments"),
    ("{{ printf '%x' 1 }}", "template-value"),
    ("{{ 9007199254740991 + 1 }}", "template-limit"),
    ("{{ int('9' ~ 1e300) }}", "template-value"),
    ("{{ 1e400 }}", "template-limit"),
]


@pytest.mark.parametrize(("template", "expected"), GIVES)
def test_a_template_gives_what_the_grammar_says(template: str, expected: Any) -> None:
    result = render(template, SCOPES, NAMES)
    assert result == expected
    assert isinstance(result, bool) == isinstance(expected, bool)


@pytest.mark.parametrize(("template", "code"), FAILS)
def test_a_wrong_template_is_refused_for_the_right_reason(template: str, code: str) -> None:
    with pytest.raises(TemplateError) as caught:
        render(template, SCOPES, NAMES)
    assert caught.value.id == code


@pytest.mark.parametrize(
    ("target", "template", "expected"),
    [
        (Escaping.JIRA, "{{ [{'k': '{*'}, 'a|b'] }}", r'\{"k":"&#92;u007b\*"\}, a\|b'),
        (Escaping.JIRA, "{{ {'k': '{'} }}", '{code:json}\n{\n  "k": "\\u007b"\n}\n{code}'),
        (Escaping.JIRA, "{{ upper(json('a*')) }}", r'"A\*"'),
        (Escaping.JIRA, "{{ 'bq. x\nh7. y' }}", "bq\\. x\nh7. y"),
        (Escaping.JIRA, "{{ 'a**b é-é' }}", r"a\*\*b é-é"),
        (Escaping.URL, "{{metadata.base}}{{metadata.base}}", "https://h/v1https%3A%2F%2Fh%2Fv1"),
        (Escaping.URL, "{{metadata.base | string}}", "https%3A%2F%2Fh%2Fv1"),
        (Escaping.URL, "/{{ [1, 'a b'] }}", "/1%2Ca%20b"),
        (Escaping.URL, "/{{ trim(url('a b')) }}", "/a%2520b"),
        (Escaping.JSON, '{"a":{{ "x" }},"b":"{{ 1.5 }}"}', '{"a":"x","b":"1.5"}'),
        (Escaping.JSON, '["{{ null }}",{{ null }},{{ 2.0 }}]', '["",null,2]'),
        (Escaping.JSON, '[{{ upper(json("a")) }}]', '["\\"A\\""]'),
        (Escaping.XML, "{{ url('&') }}{{ {'k': 1} }}", "%26{&quot;k&quot;:1}"),
    ],
)
def test_a_target_escapes_values_its_own_way(
    target: Escaping, template: str, expected: str
) -> None:
    assert render(template, SCOPES, NAMES, target) == expected


def test_all_of_a_template_is_parsed_before_its_names_are_checked() -> None:
    with pytest.raises(TemplateError) as caught:
        check("{{ fields.nope }}\n {{#if", NAMES)
    assert (caught.value.id, caught.value.line, caught.value.column) == ("template-syntax", 2, 2)


def test_an_error_says_where_and_what_instead() -> None:
    with pytest.raises(TemplateError) as caught:
        check("a\n {{fields.nmae}}", NAMES)
    assert str(caught.value) == "2:2: fields.nmae does not exist here; did you mean fields.name?"


def test_a_check_tells_what_the_template_reads() -> None:
    template = "{{output/step-1/key}} {{.User.basic_n}} {{#each fields.items}}{{this.x}}{{/each}}"
    assert check(template, NAMES) == [
        ("outputs", "step-1", "key"),
        ("fields", "n"),
        ("fields", "items"),
    ]


def test_escalation_tickets_know_two_more_scopes() -> None:
    names = Names(groups={}, outputs=(), escalation=True)
    assert render("{{failure.error}}", {"failure": {"error": "x"}}, names) == "x"


def test_a_bundle_skips_its_own_id_even_when_it_is_not_told() -> None:
    names = Names(groups={}, outputs=(), components=("app",))
    assert check("{{output/anything/app/host}}", names) == [
        ("components", "app", "outputs", "host")
    ]


@pytest.mark.parametrize("condition", ["x {{true}}", "{{true}}{{true}}", " ", "{{ }}", "{{! c }}"])
def test_a_condition_is_one_expression(condition: str) -> None:
    with pytest.raises(TemplateError) as caught:
        check_when(condition, NAMES)
    error = caught.value
    assert (error.id, error.line, error.column) == ("template-syntax", 1, 1)


def test_a_condition_counts_as_true_by_its_value() -> None:
    assert not evaluate_when("fields.null or metadata.nope", SCOPES, NAMES)
    assert evaluate_when("{{ fields.items }}", SCOPES, NAMES)


def test_a_configuration_renders_its_values_and_leaves_its_keys() -> None:
    config = {"{{k}}": ["{{fields.n}}", 5, {"d": "{{fields.text}}"}]}

    def choose(place: tuple[str | int, ...]) -> Escaping:
        return Escaping.JIRA if place[-1] == "d" else Escaping.NONE

    rendered = render_config(config, SCOPES, NAMES, choose)
    assert rendered == {"{{k}}": [7, 5, {"d": 'a\\{b\\} "c" <d>'}]}


@pytest.mark.parametrize(
    ("call", "takes"),
    [
        ("index(fields.a)", "index takes 2 or more arguments, not 1"),
        ("upper(fields.a, 1)", "upper takes 1 argument, not 2"),
        ("truncate(fields.a)", "truncate takes 2 to 3 arguments, not 1"),
        ("split(fields.a)", "split takes 2 arguments, not 1"),
    ],
)
def test_the_number_of_arguments_is_told(call: str, takes: str) -> None:
    with pytest.raises(TemplateError) as raised:
        render(f"{{{{ {call} }}}}", {"fields": {"a": "x"}})
    assert raised.value.message == takes
