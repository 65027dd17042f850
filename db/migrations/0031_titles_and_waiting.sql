-- What a request is called, and since when it waits for a decision.

ALTER TABLE public.requests
    -- Rows of earlier versions have none; they are shown by the name of their item.
    ADD COLUMN title text,
    -- Since when it is failed and not being retried, or since its oldest open approval; null where
    -- nobody has to decide. Triggers write it, for a bundle from the approvals of its components, too.
    ADD COLUMN waiting_since timestamptz;

CREATE TRIGGER requests_keep_title BEFORE UPDATE OF title ON public.requests
    FOR EACH ROW EXECUTE FUNCTION public.refuse_request_rewrite();

CREATE FUNCTION public.oldest_open_approval(request uuid) RETURNS timestamptz LANGUAGE sql
SET search_path = pg_catalog, pg_temp AS $$
    SELECT min(coalesce((waiting->>'since')::timestamptz, started_at, clock_timestamp()))
    FROM public.request_actions
    WHERE status = 'waiting' AND waiting ? 'approvers'
        AND request_id IN (
            SELECT request UNION ALL SELECT id FROM public.requests WHERE parent_id = request
        )
$$;

CREATE FUNCTION public.set_waiting_since() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.status = 'in_progress' OR NEW.retrying THEN
        NEW.waiting_since := public.oldest_open_approval(NEW.id);
    ELSIF NEW.status <> 'failed' THEN
        NEW.waiting_since := NULL;
    ELSIF TG_OP = 'INSERT' OR OLD.status <> 'failed' OR OLD.retrying THEN
        NEW.waiting_since := coalesce(NEW.mirror_at, clock_timestamp());
    ELSE
        NEW.waiting_since := OLD.waiting_since;
    END IF;
    RETURN NEW;
END
$$;

-- An approval that is asked for or ends, in a component or by a statement of its own. The rows are
-- locked before anything is counted, the component's (which its writer holds) before its bundle's.
CREATE FUNCTION public.move_waiting_since() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    own    uuid := NEW.request_id;
    shown  uuid;
BEGIN
    FOR shown IN
        SELECT id FROM public.requests WHERE id = own
        UNION ALL
        SELECT parent_id FROM public.requests WHERE id = own AND parent_id IS NOT NULL
    LOOP
        PERFORM FROM public.requests WHERE id = shown FOR NO KEY UPDATE;
        UPDATE public.requests SET waiting_since = public.oldest_open_approval(shown)
        WHERE id = shown AND (status = 'in_progress' OR retrying)
            AND waiting_since IS DISTINCT FROM public.oldest_open_approval(shown);
    END LOOP;
    RETURN NULL;
END
$$;

-- Those that wait already; what they say of their last change stays.
ALTER TABLE public.requests DISABLE TRIGGER requests_guard_update;
UPDATE public.requests SET waiting_since = CASE
    WHEN status = 'in_progress' OR retrying THEN public.oldest_open_approval(id)
    ELSE coalesce(
        (
            SELECT max(finished_at) FROM public.request_actions
            WHERE request_id = requests.id AND status = 'failed'
        ),
        mirror_at, updated_at
    )
END
WHERE status IN ('in_progress', 'failed');
ALTER TABLE public.requests ENABLE TRIGGER requests_guard_update;

CREATE TRIGGER requests_set_waiting BEFORE INSERT OR UPDATE ON public.requests
    FOR EACH ROW EXECUTE FUNCTION public.set_waiting_since();
CREATE TRIGGER request_actions_ask_approval AFTER INSERT ON public.request_actions
    FOR EACH ROW WHEN (NEW.waiting ? 'approvers')
    EXECUTE FUNCTION public.move_waiting_since();
CREATE TRIGGER request_actions_move_approval
    AFTER UPDATE OF status, waiting ON public.request_actions
    FOR EACH ROW WHEN (OLD.waiting ? 'approvers' OR NEW.waiting ? 'approvers')
    EXECUTE FUNCTION public.move_waiting_since();
