-- Requests, their actions, and who may see them. One request is one Temporal workflow; these rows
-- mirror it so that it can be queried.

CREATE TABLE public.requests (
    id                    uuid        PRIMARY KEY,
    parent_id             uuid        REFERENCES public.requests (id),
    catalog_item_id       text        NOT NULL,
    catalog_item_version  text        NOT NULL,
    catalog_item_name     text        NOT NULL,
    owner_team            text,
    item_sha              text,
    item_definition       jsonb       NOT NULL,
    plan                  jsonb       NOT NULL,
    user_id               text        NOT NULL,
    user_email            text,
    user_arn              text,
    user_teams            text[]      NOT NULL DEFAULT '{}',
    status                text        NOT NULL DEFAULT 'submitted',
    retrying              boolean     NOT NULL DEFAULT false,
    fields                jsonb       NOT NULL DEFAULT '{}',
    metadata              jsonb       NOT NULL DEFAULT '{}',
    correlation_id        uuid        NOT NULL,
    error                 jsonb,
    error_context         jsonb,
    escalation_ticket_key text,
    escalation_url        text,
    escalated_at          timestamptz,
    escalated_by          text,
    escalation_reason     text,
    run_id                text,
    mirror_at             timestamptz,
    mirror_seq            integer,
    created_at            timestamptz NOT NULL DEFAULT now(),
    updated_at            timestamptz NOT NULL DEFAULT now(),
    settled_at            timestamptz,

    CONSTRAINT requests_status_known CHECK (
        status IN ('submitted', 'in_progress', 'completed', 'failed', 'aborted', 'escalated')
    ),
    CONSTRAINT requests_escalated_has_ticket CHECK (
        status <> 'escalated'
        OR (
            escalation_ticket_key IS NOT NULL AND escalation_url IS NOT NULL
            AND escalated_at IS NOT NULL AND escalated_by IS NOT NULL
        )
    ),
    CONSTRAINT requests_retrying_is_failed CHECK (NOT retrying OR status = 'failed'),
    CONSTRAINT requests_mirror_pair_is_whole CHECK ((mirror_at IS NULL) = (mirror_seq IS NULL)),
    CONSTRAINT requests_fields_is_object CHECK (jsonb_typeof(fields) = 'object'),
    CONSTRAINT requests_metadata_is_object CHECK (jsonb_typeof(metadata) = 'object'),
    CONSTRAINT requests_definition_is_object CHECK (jsonb_typeof(item_definition) = 'object'),
    CONSTRAINT requests_plan_is_array CHECK (jsonb_typeof(plan) = 'array'),
    CONSTRAINT requests_not_own_parent CHECK (parent_id <> id)
);

-- Every list is a keyset page over (created_at, id); each index below ends with that pair, so that
-- a page is one bounded index scan however many rows there are.
CREATE INDEX requests_newest ON public.requests (created_at DESC, id DESC);
CREATE INDEX requests_by_user ON public.requests (user_id, created_at DESC, id DESC);
CREATE INDEX requests_by_status ON public.requests (status, created_at DESC, id DESC);
CREATE INDEX requests_by_item ON public.requests (catalog_item_id, created_at DESC, id DESC);
CREATE INDEX requests_by_owner ON public.requests (owner_team, created_at DESC, id DESC);
CREATE INDEX requests_by_correlation ON public.requests (correlation_id);
CREATE INDEX requests_by_parent ON public.requests (parent_id, created_at DESC, id DESC)
    WHERE parent_id IS NOT NULL;
CREATE INDEX requests_by_teams ON public.requests USING gin (user_teams);
-- The sweeper looks for rows that were stored but never started.
CREATE INDEX requests_unstarted ON public.requests (created_at)
    WHERE run_id IS NULL AND status = 'submitted';
-- Maintenance looks for the oldest finished rows.
CREATE INDEX requests_finished ON public.requests (updated_at)
    WHERE status IN ('completed', 'aborted', 'escalated');

CREATE TABLE public.request_actions (
    request_id         uuid    NOT NULL REFERENCES public.requests (id) ON DELETE CASCADE,
    action_id          text    NOT NULL,
    action_index       integer NOT NULL,
    type               text    NOT NULL,
    name               text    NOT NULL,
    config             jsonb   NOT NULL DEFAULT '{}',
    status             text    NOT NULL DEFAULT 'pending',
    attempt            integer NOT NULL DEFAULT 0,
    outputs            jsonb,
    external_reference text,
    url                text,
    cleanup            text,
    resource_type      text,
    adopted            boolean NOT NULL DEFAULT false,
    error              jsonb,
    outcome_unknown    boolean NOT NULL DEFAULT false,
    -- The write that first showed this action as started. It is never cleared: an action that was
    -- ever started is looked for in its target before it is carried out again.
    started_run_id     text,
    started_seq        integer,
    ever_started       boolean GENERATED ALWAYS AS (started_run_id IS NOT NULL) STORED,
    started_at         timestamptz,
    finished_at        timestamptz,
    -- The last known live status of the action's ticket, for lists and reports; it goes on
    -- changing after the request has ended.
    ticket_status      jsonb,

    PRIMARY KEY (request_id, action_id),
    CONSTRAINT request_actions_status_known CHECK (
        status IN ('pending', 'in_progress', 'completed', 'failed', 'skipped', 'waiting')
    ),
    CONSTRAINT request_actions_attempt_counts_up CHECK (attempt >= 0),
    CONSTRAINT request_actions_index_counts_up CHECK (action_index >= 0)
);

CREATE INDEX request_actions_by_reference ON public.request_actions (external_reference)
    WHERE external_reference IS NOT NULL;

-- Who sees a request: 'user:<id>' its submitter, 'team:<name>' each team the submitter had,
-- 'owner:<name>' the team that owns the item. One caller matches several of these, and no single
-- index over requests gives the union in order; here each is one ordered range, merged by the query.
-- Children of a bundle have no rows: lists show their parent.
CREATE TABLE public.request_audience (
    viewer     text        NOT NULL,
    created_at timestamptz NOT NULL,
    request_id uuid        NOT NULL REFERENCES public.requests (id) ON DELETE CASCADE,

    PRIMARY KEY (viewer, created_at, request_id)
);

CREATE INDEX request_audience_by_request ON public.request_audience (request_id);
