"""What the templates of a configuration read, place by place."""

from catalog.config_reads import config_reads
from catalog.scopes import ScopeContext
from tests.support.requests import new_request


def test_every_place_with_a_template_names_what_it_reads() -> None:
    made = new_request(title="orders")
    made.plan[0].config = {
        "a": {"b": ["plain", "{{fields.title}}-{{ request.id | upper }}"]},
        "c": "{% if request.data.size > 1 %}x{% endif %}",
    }
    assert config_reads(made.plan[0], made.context, ScopeContext(), ()) == {
        "a.b.1": ["fields.title", "request.id"],
        "c": ["fields.size"],
    }
