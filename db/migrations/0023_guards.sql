-- What the service's own role could still undo: a revoked key, a used signature, a result or a
-- viewer of a request, an item of the catalog. Rights alone cannot tell these from its daily work.

-- A key's secret, user and teams stay as they were issued; a revocation is for good.
CREATE FUNCTION public.guard_access_key() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    may_change CONSTANT text[] := '{revoked_at, last_used_at}';
BEGIN
    IF to_jsonb(OLD) - may_change <> to_jsonb(NEW) - may_change THEN
        RAISE EXCEPTION 'access key % stays as it was issued: revoke it and issue another',
            OLD.access_key_id USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at THEN
        RAISE EXCEPTION 'access key % was revoked: issue another', OLD.access_key_id
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.last_used_at IS NOT NULL
        AND (NEW.last_used_at IS NULL OR NEW.last_used_at < OLD.last_used_at)
    THEN
        RAISE EXCEPTION 'access key % was used later than that', OLD.access_key_id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER access_keys_guard BEFORE UPDATE ON public.access_keys
    FOR EACH ROW EXECUTE FUNCTION public.guard_access_key();

-- A used signature is remembered until it can be used no more.
CREATE FUNCTION public.guard_replay_signature() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF OLD.expires_at > now() AND (TG_OP = 'DELETE' OR NEW IS DISTINCT FROM OLD) THEN
        RAISE EXCEPTION 'a used signature is remembered until %', OLD.expires_at
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;

CREATE TRIGGER replay_signatures_guard BEFORE UPDATE OR DELETE ON public.replay_signatures
    FOR EACH ROW EXECUTE FUNCTION public.guard_replay_signature();

-- An action belongs to its request and to its place in the plan, and that it was ever started is
-- never forgotten. A finished request gets no further actions, but for the transaction that ends it
-- or that makes its row anew.
CREATE FUNCTION public.guard_action_place() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF EXISTS (
            SELECT FROM public.requests
            WHERE id = NEW.request_id AND public.request_is_finished(status)
                AND xmin <> pg_current_xact_id()::xid
        ) THEN
            RAISE EXCEPTION 'request % is finished: it gets no further actions', NEW.request_id
                USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.request_id, NEW.action_id, NEW.action_index, NEW.type, NEW.name)
        IS DISTINCT FROM (OLD.request_id, OLD.action_id, OLD.action_index, OLD.type, OLD.name)
    THEN
        RAISE EXCEPTION 'action % of request % stays what and where it is',
            OLD.action_id, OLD.request_id USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.started_run_id IS NOT NULL
        AND (NEW.started_run_id, NEW.started_seq)
            IS DISTINCT FROM (OLD.started_run_id, OLD.started_seq)
    THEN
        RAISE EXCEPTION 'action % of request % was started: that is never forgotten',
            OLD.action_id, OLD.request_id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER request_actions_guard_place BEFORE INSERT OR UPDATE ON public.request_actions
    FOR EACH ROW EXECUTE FUNCTION public.guard_action_place();

CREATE TRIGGER requests_keep_metadata BEFORE UPDATE OF metadata ON public.requests
    FOR EACH ROW EXECUTE FUNCTION public.refuse_request_rewrite();

-- Rows that are written once and go with their request.
CREATE FUNCTION public.guard_written_once() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE'
        AND NOT EXISTS (SELECT FROM public.requests WHERE id = OLD.request_id)
    THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'a row of % stays as it was written, as long as request %',
        TG_TABLE_NAME, OLD.request_id USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER request_events_guard BEFORE UPDATE OR DELETE ON public.request_events
    FOR EACH ROW EXECUTE FUNCTION public.guard_written_once();
CREATE TRIGGER request_audience_guard BEFORE UPDATE OR DELETE ON public.request_audience
    FOR EACH ROW EXECUTE FUNCTION public.guard_written_once();
CREATE TRIGGER idempotency_keys_guard BEFORE UPDATE OR DELETE ON public.idempotency_keys
    FOR EACH ROW EXECUTE FUNCTION public.guard_written_once();

-- Who may see a request follows from the request and from whom it asks: the two triggers write it
-- with the owner's rights, and the service itself may not.
ALTER FUNCTION public.add_request_audience() SECURITY DEFINER;
ALTER FUNCTION public.add_request_audience() SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION public.add_approvers() SECURITY DEFINER;
ALTER FUNCTION public.add_approvers() SET search_path = pg_catalog, pg_temp;

-- An item that leaves the catalog is marked; its row, and what it said last, stays.
ALTER TABLE public.catalog_items ADD COLUMN removed_at timestamptz;

CREATE FUNCTION public.guard_catalog_item() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'catalog item % stays: it is marked as removed', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.id <> OLD.id OR NEW.generation < OLD.generation THEN
        RAISE EXCEPTION 'catalog item % keeps its id, and its generation only grows', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER catalog_items_guard BEFORE UPDATE OR DELETE ON public.catalog_items
    FOR EACH ROW EXECUTE FUNCTION public.guard_catalog_item();

-- Every process compares this number with the one it serves: one that came back would be missed.
CREATE FUNCTION public.guard_catalog_state() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.generation < OLD.generation THEN
        RAISE EXCEPTION 'the generation of the catalog only grows'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER catalog_state_guard BEFORE UPDATE ON public.catalog_state
    FOR EACH ROW EXECUTE FUNCTION public.guard_catalog_state();

CREATE TRIGGER access_keys_refuse_truncate BEFORE TRUNCATE ON public.access_keys
    FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_truncate();
CREATE TRIGGER request_events_refuse_truncate BEFORE TRUNCATE ON public.request_events
    FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_truncate();
CREATE TRIGGER catalog_items_refuse_truncate BEFORE TRUNCATE ON public.catalog_items
    FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_truncate();

-- Where PUBLIC may create in the schema (before Postgres 15), a caller's search path could lead the
-- older guards to operators of the caller's own.
ALTER FUNCTION public.guard_request_update() SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION public.guard_request_delete() SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION public.guard_action_change() SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION public.guard_audit() SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION public.guard_decision() SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION public.audit_request_status() SET search_path = pg_catalog, pg_temp;
