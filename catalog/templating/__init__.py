"""Templates: four notations, one language. This file is the package's whole public interface."""

from catalog.templating.contract import PLACES, WHOLE, Escaping, Names, SecretValue, TemplateError
from catalog.templating.engine import (
    Inspection,
    check,
    check_when,
    evaluate_when,
    every_error,
    functions_of,
    inspect,
    render,
    render_config,
)
from catalog.templating.urls import has_steps
from catalog.templating.values import opened
from catalog.templating.wiki import jira_escape

__all__ = [
    "PLACES",
    "WHOLE",
    "Escaping",
    "Inspection",
    "Names",
    "SecretValue",
    "TemplateError",
    "check",
    "check_when",
    "evaluate_when",
    "every_error",
    "functions_of",
    "has_steps",
    "inspect",
    "jira_escape",
    "opened",
    "render",
    "render_config",
]
