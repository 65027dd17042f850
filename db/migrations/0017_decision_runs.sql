-- Which run of the workflow has told a decision last. A workflow task that is lost is executed again
-- by the same run, which finds its own decisions here and has to carry them out; those of another
-- run are taken for what they are. Rows of before this migration name none.
ALTER TABLE public.decisions ADD COLUMN run_id text;

CREATE OR REPLACE FUNCTION public.guard_decision() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    may_change CONSTANT text[] :=
        '{accepted, outcome, message, changes, code, details, attempt, run_id, mirror_at, mirror_seq}';
BEGIN
    IF TG_OP = 'DELETE' THEN
        -- When maintenance removes a request, its row is gone before its decisions are.
        IF NOT EXISTS (SELECT FROM public.requests WHERE id = OLD.request_id) THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION 'decision % of request % stays as long as its request',
            OLD.decision_id, OLD.request_id USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.outcome <> 'open'
        OR (OLD.accepted AND NOT NEW.accepted AND NEW.outcome = 'open')
        OR to_jsonb(OLD) - may_change <> to_jsonb(NEW) - may_change
    THEN
        RAISE EXCEPTION 'decision % of request % is %: what was recorded is never rewritten',
            OLD.decision_id, OLD.request_id, OLD.outcome USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
