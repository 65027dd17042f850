"""Preparing a submission: authorize, validate, plan, check templates. Nothing is stored here."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from api.access import AccessPolicy
from api.auth.principal import Principal
from api.catalog.service import ServedItem
from api.requests import schemas
from api.requests.configuration_errors import detail_of, field_details, refusal_message
from api.requests.lifecycle import require_offered
from api.requests.prepared import (
    PreparedSubmission,
    SubmissionCall,
    SubmissionSettings,
    requester_of,
    require_carriable,
    require_small,
)
from api.requests.schemas import Submission
from catalog.action_rendering import condition_before, render_action
from catalog.configuration_checks import ActionModels, check_configurations
from catalog.forms import FormContext, FormResult
from catalog.masked_passwords import mask_errors
from catalog.plan_checks import check_plan
from catalog.planning import ActionTraits, plan, snapshot_of
from catalog.secrets import open_fields, seal_fields
from catalog.templating import TemplateError
from catalog.titles import title_of
from pao.core.components import COMPONENT
from pao.core.errors import Detail, ErrorCode, PaoError
from pao.core.payloads.context import RequestContext
from pao.core.payloads.plan import PlannedAction
from pao.core.timestamps import timestamp
from pao.runtime.crypto import SecretBox

_WAIT = re.compile(r'(?:^|[,;])\s*wait\s*=\s*"?(\d{1,6})(?!\d)')


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemPreparer:
    """Validates submissions and plans them."""

    access: AccessPolicy
    box: SecretBox
    settings: SubmissionSettings

    def prepare(
        self, served_item: ServedItem, body: Submission, call: SubmissionCall, context: FormContext
    ) -> PreparedSubmission:
        """Check everything that a submission of an item is checked for, and plan it.

        ``about`` is what the form knows of the caller, and what it has asked.
        """
        self.authorize(served_item, call.caller)
        require_offered(served_item.loaded.item, datetime.now(UTC).date())
        result = self.validate_fields(served_item, body.fields, context)
        prepared = self.plan_actions(served_item, result.values, body, call)
        prepared = with_result(prepared, body.fields, result)
        require_carriable(prepared)
        self.check_actions(served_item, prepared)
        self.check_templates(served_item, prepared)
        return prepared

    def render(
        self, prepared: PreparedSubmission, *, complete: bool = True
    ) -> list[schemas.RenderedAction]:
        """Render every action as it would be sent, secrets masked.

        An action that needs outputs of an earlier one is shown with its templates. Where the
        fields are not ``complete`` yet, it is not said whether an action with a condition runs.
        """
        own = [one for one in prepared.actions if one.notice is None and one.type != COMPONENT]
        return [self._render_action(prepared, action, complete=complete) for action in own]

    def authorize(self, served_item: ServedItem, caller: Principal) -> None:
        """Refuse a caller whose teams may not request the item."""
        item = served_item.loaded.item
        if not self.access.may_request(caller, item):
            allowed = ", ".join(sorted(item.allowed_teams))
            raise PaoError(
                ErrorCode.FORBIDDEN,
                f"{item.name} may be requested by: {allowed}. Ask one of these teams.",
            )

    def validate_fields(
        self, served_item: ServedItem, fields: dict[str, Any], context: FormContext
    ) -> FormResult:
        """Return the fields complete with defaults, or refuse them with every reason."""
        form = served_item.loaded.item.form
        result = form.validate(fields, datetime.now(UTC).date(), context)
        stars = mask_errors(form, fields)
        if result.valid and not stars:
            require_small(result.values)
            return result
        starred = {one.field for one in stars}
        others = [one for one in result.errors if one.field not in starred]
        details = field_details((*others, *stars))
        found = "1 field is invalid; correct it"
        if len(details) != 1:
            found = f"{len(details)} fields are invalid; correct them"
        raise PaoError(ErrorCode.VALIDATION_ERROR, f"{found} and submit again.", details=details)

    def plan_actions(
        self,
        served_item: ServedItem,
        values: dict[str, Any],
        body: Submission,
        call: SubmissionCall,
    ) -> PreparedSubmission:
        """Assign a request id, seal the passwords, and plan the actions."""
        loaded, caller = served_item.loaded, call.caller
        request_id = str(uuid4())
        passwords = loaded.item.passwords
        context = RequestContext(
            request_id=request_id,
            correlation_id=call.correlation_id,
            submitted_at=timestamp(datetime.now(UTC)),
            item=snapshot_of(loaded.item, loaded.definition, loaded.sha),
            requester=requester_of(caller),
            fields=seal_fields(self.box, request_id, values, passwords),
        )
        context.title = title_of(loaded.item, context)
        traits = self.settings.traits
        actions = plan(loaded.item, traits)
        secrets = open_fields(self.box, context)
        return PreparedSubmission(
            context,
            actions,
            secrets,
            slow=any(_is_slow(a, traits) for a in actions),
            metadata=body.metadata.model_dump(by_alias=True, exclude_none=True),
        )

    def check_templates(
        self, served_item: ServedItem, prepared: PreparedSubmission, *, complete: bool = True
    ) -> None:
        """Check every template before anything runs, so that no action fails by its own text.

        Where the values are not ``complete`` yet, nothing is rendered.
        """
        settings = self.settings
        problems = check_plan(
            served_item.loaded.item, prepared.actions, settings.scope_context, settings.targets
        )
        problems = problems or (self._try_templates(prepared) if complete else [])
        if problems:
            raise PaoError(
                ErrorCode.VALIDATION_ERROR,
                "The item's templates cannot be rendered with these values; tell its owner, "
                f"{served_item.loaded.item.owner_team or 'the platform team'}.",
                details=tuple(
                    Detail(field="catalogItemId", constraint="template", message=problem)
                    for problem in problems
                ),
            )

    def check_actions(
        self,
        served_item: ServedItem,
        prepared: PreparedSubmission,
        *,
        waiting: tuple[str, ...] = (),
    ) -> None:
        """Refuse values that make a configuration which the action's own model refuses.

        The values of ``waiting`` fields are not there yet.
        """
        item, settings = served_item.loaded.item, self.settings
        found = check_configurations(
            item,
            prepared.actions,
            prepared.context,
            ActionModels(settings.scope_context, settings.validators, settings.targets),
            secrets=prepared.secrets,
            unknown=frozenset(waiting),
        )
        if found:
            raise PaoError(
                ErrorCode.VALIDATION_ERROR,
                refusal_message(found, item.owner_team),
                details=tuple(detail_of(one) for one in found),
            )

    def _try_templates(self, prepared: PreparedSubmission) -> list[str]:
        """Render what needs nothing of other actions and runs for certain."""
        problems = []
        for action in prepared.actions:
            if action.depends_on or action.when or not action.is_step:
                continue
            try:
                self._render_config(prepared, action)
            except TemplateError as error:
                problems.append(f"action {action.id}: {error}")
        return problems

    def _render_action(
        self, prepared: PreparedSubmission, action: PlannedAction, *, complete: bool
    ) -> schemas.RenderedAction:
        runs = None
        if complete or action.when is None:
            runs = condition_before(
                action,
                prepared.context,
                self.settings.scope_context,
                secrets=prepared.secrets,
            )
        try:
            read = self.settings.readers.get(action.type, dict)
            config, rendered = read(self._render_config(prepared, action)), True
        except TemplateError:
            config, rendered = action.config, False
        return schemas.RenderedAction(
            id=action.id,
            index=action.index,
            type=action.type,
            name=action.name,
            config=config,
            complete=rendered,
            depends_on=action.depends_on or [],
            when=action.when,
            runs=runs,
            timeout=action.timeout,
            slow=action.slow,
            fallback=action.fallback,
        )

    def _render_config(self, prepared: PreparedSubmission, action: PlannedAction) -> dict[str, Any]:
        return render_action(
            action,
            prepared.context,
            self.settings.scope_context,
            targets=self.settings.targets.get(action.type, {}),
            secrets=prepared.secrets,
            outputs={},
            reveal=False,
        )


def with_result(
    prepared: PreparedSubmission, sent: Iterable[str], result: FormResult
) -> PreparedSubmission:
    """Return the submission with what its form has computed, and warns of, each once."""
    warnings = tuple(dict.fromkeys(one.message for one in result.warnings))
    return replace(prepared, sent=tuple(sent), computed=result.computed, warnings=warnings)


def preferred_wait(header: str | None) -> float | None:
    """Read the seconds of ``Prefer: wait=N`` (RFC 7240); what cannot be read is no preference."""
    match = _WAIT.search(header or "")
    return float(match[1]) if match else None


def _is_slow(action: PlannedAction, traits: Mapping[str, ActionTraits]) -> bool:
    """Return whether an action takes longer than a caller waits for an answer."""
    if not action.is_step:
        return False
    of_type = traits.get(action.type, ActionTraits())
    return action.slow or of_type.waits or action.config.get("waitFor") == "resolved"
