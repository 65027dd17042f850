-- What happened to a request: decisions, the stream that readers follow, and the audit trail.

CREATE TABLE public.decisions (
    request_id  uuid        NOT NULL REFERENCES public.requests (id) ON DELETE CASCADE,
    decision_id text        NOT NULL,
    decision    text        NOT NULL,
    at          timestamptz NOT NULL,
    by          text        NOT NULL,
    via         text        NOT NULL,
    reason      text,
    accepted    boolean     NOT NULL,
    outcome     text        NOT NULL,
    message     text,
    changes     jsonb,
    -- The write that this record comes from; an older one does not replace it.
    mirror_at   timestamptz NOT NULL,
    mirror_seq  integer     NOT NULL,

    PRIMARY KEY (request_id, decision_id),
    CONSTRAINT decisions_outcome_known CHECK (outcome IN ('rejected', 'open', 'done', 'failed'))
);

-- Writers hold the request's row lock while they append, so that within one request the ids are
-- in the order of commits and a reader who resumes after an id misses nothing.
CREATE TABLE public.request_events (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request_id uuid        NOT NULL REFERENCES public.requests (id) ON DELETE CASCADE,
    run_id     text        NOT NULL,
    seq        integer     NOT NULL,
    kind       text        NOT NULL,
    at         timestamptz NOT NULL,
    data       jsonb       NOT NULL DEFAULT '{}',

    CONSTRAINT request_events_once UNIQUE (request_id, run_id, seq),
    CONSTRAINT request_events_kind_known CHECK (kind IN ('state', 'action', 'log', 'decision'))
);

CREATE INDEX request_events_in_order ON public.request_events (request_id, id);

-- request_id is no foreign key: the audit trail outlives the request that it describes.
CREATE TABLE public.audit_logs (
    id             bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request_id     uuid,
    action_id      text,
    correlation_id uuid,
    event_type     text        NOT NULL,
    event_data     jsonb       NOT NULL DEFAULT '{}',
    actor          text        NOT NULL,
    via            text        NOT NULL,
    reason         text,
    at             timestamptz NOT NULL DEFAULT now(),
    source_system  text        NOT NULL,
    run_id         text,
    seq            integer,
    -- When the row was written, by the database's clock; its age is counted from here, because
    -- "at" is the writer's word.
    recorded_at    timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT audit_logs_run_and_seq_go_together CHECK ((run_id IS NULL) = (seq IS NULL))
);

CREATE UNIQUE INDEX audit_logs_once ON public.audit_logs (request_id, run_id, seq)
    WHERE run_id IS NOT NULL;
CREATE INDEX audit_logs_by_request ON public.audit_logs (request_id, id);
CREATE INDEX audit_logs_by_correlation ON public.audit_logs (correlation_id);
