"""Templates: four notations, one language. This file is the package's whole public interface."""

from catalog.templating.contract import PLACES, WHOLE, Escaping, Names, SecretValue, TemplateError
from catalog.templating.engine import (
    Inspection,
    all_errors,
    check,
    check_when,
    evaluate_when,
    functions_of,
    inspect,
    render,
    render_config,
)
from catalog.templating.environment import environment_variables
from catalog.templating.urls import has_dot_segments
from catalog.templating.values import unwrap_secrets
from catalog.templating.wiki import jira_escape

__all__ = [
    "PLACES",
    "WHOLE",
    "Escaping",
    "Inspection",
    "Names",
    "SecretValue",
    "TemplateError",
    "all_errors",
    "check",
    "check_when",
    "environment_variables",
    "evaluate_when",
    "functions_of",
    "has_dot_segments",
    "inspect",
    "jira_escape",
    "render",
    "render_config",
    "unwrap_secrets",
]
