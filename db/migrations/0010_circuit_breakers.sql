-- Targets of actions that have failed last: shared by all workers, gone as soon as one answers.

CREATE TABLE public.circuit_breakers (
    target      text        PRIMARY KEY,
    -- Failures in a row.
    failures    integer     NOT NULL DEFAULT 0,
    last_error  text,
    failed_at   timestamptz NOT NULL DEFAULT now(),
    -- When an open breaker lets one call through; null while it is closed.
    retry_at    timestamptz,
    -- Until when the one call that tries it out may take; null while none does.
    probe_until timestamptz,

    CONSTRAINT circuit_breakers_probe_needs_open CHECK (probe_until IS NULL OR retry_at IS NOT NULL)
);
