-- What the upkeep of the service needs: audit lines and stream entries told apart by what they say,
-- the open requests in a fixed order, and what each kind of upkeep last found.

-- A workflow task that is run again after its mirror write may tell other things under the same
-- numbers. "identity" is what a line says and how often the run has said it before; of two lines
-- with one number but different identities, the later one gets the next free number. Rows of
-- earlier versions have none; they are told apart by their number, as before.
ALTER TABLE public.audit_logs ADD COLUMN identity text;
ALTER TABLE public.request_events ADD COLUMN identity text;

CREATE UNIQUE INDEX audit_logs_told_once ON public.audit_logs (request_id, run_id, identity)
    WHERE identity IS NOT NULL;
CREATE UNIQUE INDEX request_events_told_once ON public.request_events (request_id, run_id, identity)
    WHERE identity IS NOT NULL;

-- The reconciler goes round all open requests in this order.
CREATE INDEX requests_open ON public.requests (created_at, id)
    WHERE status IN ('submitted', 'in_progress', 'failed');

-- The status updater goes round the tickets that are not done, in this order.
CREATE INDEX request_actions_open_tickets ON public.request_actions (request_id, action_id)
    WHERE external_reference IS NOT NULL
        AND coalesce(ticket_status->>'statusCategory', '') <> 'done';

-- One row per kind of upkeep: when it last ended, what it found then, what it has counted in all,
-- and where it goes on.
CREATE TABLE public.upkeep (
    name        text        PRIMARY KEY,
    finished_at timestamptz NOT NULL,
    result      jsonb       NOT NULL DEFAULT '{}',
    totals      jsonb       NOT NULL DEFAULT '{}',
    position    jsonb,

    CONSTRAINT upkeep_result_is_object CHECK (jsonb_typeof(result) = 'object'),
    CONSTRAINT upkeep_totals_is_object CHECK (jsonb_typeof(totals) = 'object')
);

-- Vacuuming is the business of autovacuum, because only an owner may and no function can; these
-- tables grow all day, and the usual fifth of a large table would be long in coming.
ALTER TABLE public.requests SET (
    autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02
);
ALTER TABLE public.request_actions SET (
    autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02
);
ALTER TABLE public.request_events SET (
    autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05
);
ALTER TABLE public.audit_logs SET (
    autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05
);
ALTER TABLE public.replay_signatures SET (autovacuum_vacuum_scale_factor = 0.02);

-- Has the planner's figures taken anew, after maintenance has removed rows.
CREATE FUNCTION public.refresh_statistics() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    ANALYZE public.requests;
    ANALYZE public.request_actions;
    ANALYZE public.request_audience;
    ANALYZE public.request_events;
    ANALYZE public.decisions;
    ANALYZE public.audit_logs;
    ANALYZE public.idempotency_keys;
    ANALYZE public.replay_signatures;
END
$$;

REVOKE EXECUTE ON FUNCTION public.refresh_statistics() FROM PUBLIC;
