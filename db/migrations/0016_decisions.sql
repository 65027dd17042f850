-- What was recorded of a decision stays: an open one may be accepted and closed, nothing else of it
-- changes, and a closed one never does. A reset in Temporal tells decisions a second time.
CREATE FUNCTION public.guard_decision() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    may_change CONSTANT text[] :=
        '{accepted, outcome, message, changes, code, details, mirror_at, mirror_seq}';
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

CREATE TRIGGER decisions_guard BEFORE UPDATE OR DELETE ON public.decisions
    FOR EACH ROW EXECUTE FUNCTION public.guard_decision();
CREATE TRIGGER decisions_refuse_truncate BEFORE TRUNCATE ON public.decisions
    FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_truncate();
