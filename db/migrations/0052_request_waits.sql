-- How often and how long requests waited for people, and why: one row per wait, kept by a trigger
-- wherever waiting_since moves. Rows of one request never overlap.

CREATE TABLE public.request_waits (
    request_id uuid        NOT NULL REFERENCES public.requests (id) ON DELETE CASCADE,
    since      timestamptz NOT NULL,
    -- Null while it waits.
    ended_at   timestamptz,
    kind       text        NOT NULL,
    -- Of a failure: the first failed action, the error's code and its cause.
    action_id  text,
    code       text,
    cause      text,

    PRIMARY KEY (request_id, since),
    CONSTRAINT request_waits_kind_known CHECK (kind IN ('failed', 'approval')),
    CONSTRAINT request_waits_end_after_they_begin CHECK (ended_at >= since)
);

CREATE INDEX request_waits_by_time ON public.request_waits (since);

CREATE FUNCTION public.record_wait() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    before timestamptz := CASE WHEN TG_OP = 'UPDATE' THEN OLD.waiting_since END;
    moment timestamptz := clock_timestamp();
    failed boolean     := NEW.status = 'failed' AND NOT NEW.retrying;
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.mirror_at IS DISTINCT FROM OLD.mirror_at THEN
        moment := coalesce(NEW.mirror_at, moment);
    END IF;
    IF before IS NOT NULL THEN
        IF NEW.waiting_since < before THEN
            -- An older approval that was told later: this wait began earlier.
            DELETE FROM public.request_waits
            WHERE request_id = NEW.id AND since >= NEW.waiting_since;
        ELSE
            -- Of two approvals the older one has ended: the younger one's wait takes over.
            UPDATE public.request_waits
            SET ended_at = greatest(since, coalesce(NEW.waiting_since, moment))
            WHERE request_id = NEW.id AND ended_at IS NULL;
        END IF;
    END IF;
    IF NEW.waiting_since IS NOT NULL THEN
        -- A run that was reset in Temporal fails at the same moment again.
        INSERT INTO public.request_waits (request_id, since, kind, action_id, code, cause)
        VALUES (
            NEW.id,
            NEW.waiting_since,
            CASE WHEN failed THEN 'failed' ELSE 'approval' END,
            CASE WHEN failed THEN NEW.error_context->'failedActions'->0->>'id' END,
            CASE WHEN failed THEN NEW.error->>'code' END,
            CASE WHEN failed THEN NEW.error->>'cause' END
        )
        ON CONFLICT (request_id, since) DO UPDATE SET
            ended_at = NULL, kind = excluded.kind, action_id = excluded.action_id,
            code = excluded.code, cause = excluded.cause;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER requests_begin_wait AFTER INSERT ON public.requests
    FOR EACH ROW WHEN (NEW.waiting_since IS NOT NULL)
    EXECUTE FUNCTION public.record_wait();
CREATE TRIGGER requests_move_wait AFTER UPDATE ON public.requests
    FOR EACH ROW WHEN (OLD.waiting_since IS DISTINCT FROM NEW.waiting_since)
    EXECUTE FUNCTION public.record_wait();

-- Those that wait already. What waited and ended before this version is not known.
INSERT INTO public.request_waits (request_id, since, kind, action_id, code, cause)
SELECT
    id, waiting_since,
    CASE WHEN status = 'failed' AND NOT retrying THEN 'failed' ELSE 'approval' END,
    CASE WHEN status = 'failed' AND NOT retrying
        THEN error_context->'failedActions'->0->>'id' END,
    CASE WHEN status = 'failed' AND NOT retrying THEN error->>'code' END,
    CASE WHEN status = 'failed' AND NOT retrying THEN error->>'cause' END
FROM public.requests WHERE waiting_since IS NOT NULL;
