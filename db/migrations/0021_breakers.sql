-- Circuit breakers, counted per target and per catalog item that calls it; forgotten with time.
-- circuit_breakers stays for processes of the version before, which meet this one during a deploy.

CREATE TABLE public.breakers (
    target      text        NOT NULL,
    -- The catalog item whose calls are counted; empty for the breaker that all share.
    item        text        NOT NULL DEFAULT '',
    -- Whether a document or the configuration names the target, so that it may be shown to anybody.
    named       boolean     NOT NULL DEFAULT false,
    -- Failures in a row, and up to two of the items that they belong to.
    failures    integer     NOT NULL DEFAULT 0,
    items       text[]      NOT NULL DEFAULT '{}',
    last_error  text,
    failed_at   timestamptz NOT NULL DEFAULT now(),
    -- When an open breaker lets one call through; null while it is closed.
    retry_at    timestamptz,
    -- Until when the one call that tries it out may take; null while none does.
    probe_until timestamptz,

    PRIMARY KEY (target, item),
    CONSTRAINT breakers_probe_needs_open CHECK (probe_until IS NULL OR retry_at IS NOT NULL)
);

CREATE INDEX breakers_by_age ON public.breakers (failed_at);
