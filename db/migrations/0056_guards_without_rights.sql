-- What so far only the rights of the service's role refused, or nothing: where the service owns its
-- database it has every right, and triggers alone protect the records.

CREATE FUNCTION public.refuse_by_hand() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are written by triggers alone', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER request_actions_refuse_truncate BEFORE TRUNCATE ON public.request_actions
    FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_truncate();
CREATE TRIGGER request_audience_refuse_by_hand
    BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON public.request_audience
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION public.refuse_by_hand();
CREATE TRIGGER request_waits_refuse_by_hand
    BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON public.request_waits
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION public.refuse_by_hand();
CREATE TRIGGER idempotency_keys_refuse_truncate BEFORE TRUNCATE ON public.idempotency_keys
    FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_truncate();
CREATE TRIGGER replay_signatures_refuse_truncate BEFORE TRUNCATE ON public.replay_signatures
    FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_truncate();

-- A key that is deleted could come back without its revocation.
CREATE FUNCTION public.guard_access_key_removal() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF OLD.is_session AND OLD.expires_at < now() - interval '1 day' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'access key % stays: revoke it', OLD.access_key_id
        USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER access_keys_guard_removal BEFORE DELETE ON public.access_keys
    FOR EACH ROW EXECUTE FUNCTION public.guard_access_key_removal();

CREATE OR REPLACE FUNCTION public.guard_catalog_state() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' OR NEW.generation < OLD.generation THEN
        RAISE EXCEPTION 'the generation of the catalog only grows'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER catalog_state_guard_removal BEFORE DELETE ON public.catalog_state
    FOR EACH ROW EXECUTE FUNCTION public.guard_catalog_state();
CREATE TRIGGER catalog_state_refuse_truncate BEFORE TRUNCATE ON public.catalog_state
    FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_truncate();

-- Rows of which only the columns that the trigger names may change.
CREATE FUNCTION public.guard_columns() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    may_change CONSTANT text[] := coalesce(TG_ARGV, '{}');
BEGIN
    IF to_jsonb(OLD) - may_change <> to_jsonb(NEW) - may_change THEN
        RAISE EXCEPTION 'a row of % stays as it was written', TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER web_sign_ins_guard BEFORE UPDATE ON public.web_sign_ins
    FOR EACH ROW EXECUTE FUNCTION public.guard_columns();
CREATE TRIGGER web_sessions_guard BEFORE UPDATE ON public.web_sessions
    FOR EACH ROW EXECUTE FUNCTION public.guard_columns('seen_at');
CREATE TRIGGER web_bulk_decisions_guard BEFORE UPDATE ON public.web_bulk_decisions
    FOR EACH ROW EXECUTE FUNCTION public.guard_columns('results');

CREATE FUNCTION public.guard_bulk_decision_removal() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF OLD.created_at < now() - interval '7 days' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'bulk decision % stays for a week', OLD.id
        USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER web_bulk_decisions_guard_removal BEFORE DELETE ON public.web_bulk_decisions
    FOR EACH ROW EXECUTE FUNCTION public.guard_bulk_decision_removal();
CREATE TRIGGER web_bulk_decisions_refuse_truncate BEFORE TRUNCATE ON public.web_bulk_decisions
    FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_truncate();
