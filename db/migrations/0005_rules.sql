-- What the database itself refuses, whoever asks: moves that the state table does not know, changes
-- to what is finished, and a trail that is not append-only.

-- The transition table of pao/core/states.py, and besides it: a state that is open may be written
-- again (a new run after a reset, new fields), and a request that was stored but whose workflow is
-- gone becomes failed. A test holds both tables together.
CREATE FUNCTION public.request_move_allowed(before text, after text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE before
        WHEN 'submitted' THEN after IN ('submitted', 'in_progress', 'failed')
        WHEN 'in_progress' THEN after IN ('in_progress', 'completed', 'failed')
        WHEN 'failed' THEN after IN ('failed', 'in_progress', 'completed', 'aborted', 'escalated')
        ELSE false
    END
$$;

CREATE FUNCTION public.request_is_finished(status text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT status IN ('completed', 'aborted', 'escalated')
$$;

CREATE FUNCTION public.guard_request_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF public.request_is_finished(OLD.status) THEN
        RAISE EXCEPTION 'request % is %: a finished request never changes', OLD.id, OLD.status
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NOT public.request_move_allowed(OLD.status, NEW.status) THEN
        RAISE EXCEPTION 'request % cannot go from % to %', OLD.id, OLD.status, NEW.status
            USING ERRCODE = 'restrict_violation';
    END IF;
    NEW.updated_at := greatest(clock_timestamp(), OLD.updated_at);
    RETURN NEW;
END
$$;

CREATE TRIGGER requests_guard_update BEFORE UPDATE ON public.requests
    FOR EACH ROW EXECUTE FUNCTION public.guard_request_update();

-- Who asked for what, and what was planned, stays as it was submitted; the audience rows are
-- derived from it. The column list keeps this from costing anything on an ordinary update.
CREATE FUNCTION public.refuse_request_rewrite() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'request %: what was submitted cannot be rewritten', OLD.id
        USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER requests_refuse_rewrite
    BEFORE UPDATE OF
        id, parent_id, catalog_item_id, catalog_item_version, catalog_item_name, owner_team,
        item_sha, item_definition, plan, user_id, user_email, user_arn, user_teams,
        correlation_id, created_at
    ON public.requests
    FOR EACH ROW EXECUTE FUNCTION public.refuse_request_rewrite();

CREATE FUNCTION public.guard_request_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('pao.maintenance', true) IS DISTINCT FROM 'on'
        OR NOT public.request_is_finished(OLD.status)
        OR OLD.updated_at >= now() - interval '90 days'
    THEN
        RAISE EXCEPTION
            'request % stays: only maintenance removes requests, 90 days after they ended', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN OLD;
END
$$;

CREATE TRIGGER requests_guard_delete BEFORE DELETE ON public.requests
    FOR EACH ROW EXECUTE FUNCTION public.guard_request_delete();

CREATE FUNCTION public.add_request_audience() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.request_audience (viewer, created_at, request_id)
    SELECT DISTINCT viewer, NEW.created_at, NEW.id
    FROM (
        SELECT 'user:' || NEW.user_id
        UNION ALL SELECT 'owner:' || NEW.owner_team
        UNION ALL SELECT 'team:' || team FROM unnest(NEW.user_teams) AS team
    ) AS viewers (viewer)
    WHERE viewer IS NOT NULL;
    RETURN NULL;
END
$$;

CREATE TRIGGER requests_add_audience AFTER INSERT ON public.requests
    FOR EACH ROW WHEN (NEW.parent_id IS NULL)
    EXECUTE FUNCTION public.add_request_audience();

-- A change of state that did not come with its own audit row gets one here, so that a repair by
-- hand shows in the trail. The service's transactions set pao.audit to 'explicit'.
CREATE FUNCTION public.audit_request_status() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.audit_logs
        (request_id, correlation_id, event_type, event_data, actor, via, source_system)
    VALUES (
        NEW.id,
        NEW.correlation_id,
        'request.' || NEW.status,
        CASE TG_OP
            WHEN 'INSERT' THEN jsonb_build_object('to', NEW.status)
            ELSE jsonb_build_object('from', OLD.status, 'to', NEW.status)
        END,
        session_user,
        'sql',
        'database'
    );
    RETURN NULL;
END
$$;

CREATE TRIGGER requests_audit_insert AFTER INSERT ON public.requests
    FOR EACH ROW WHEN (coalesce(current_setting('pao.audit', true), '') <> 'explicit')
    EXECUTE FUNCTION public.audit_request_status();

CREATE TRIGGER requests_audit_update AFTER UPDATE OF status ON public.requests
    FOR EACH ROW WHEN (
        OLD.status IS DISTINCT FROM NEW.status
        AND coalesce(current_setting('pao.audit', true), '') <> 'explicit'
    )
    EXECUTE FUNCTION public.audit_request_status();

-- The results of a finished request's actions stay; only the ticket's live status moves on. When
-- maintenance removes a request, its row is gone before its actions are, and they may go.
CREATE FUNCTION public.guard_action_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    request_status text;
    -- A generated column has no value yet before the row is written.
    unmoved CONSTANT text[] := '{ticket_status, ever_started}';
BEGIN
    SELECT status INTO request_status FROM public.requests
    WHERE id = OLD.request_id;

    IF TG_OP = 'DELETE' THEN
        IF request_status IS NULL THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION 'action % of request % stays as long as its request',
            OLD.action_id, OLD.request_id USING ERRCODE = 'restrict_violation';
    END IF;

    IF public.request_is_finished(request_status)
        AND to_jsonb(OLD) - unmoved <> to_jsonb(NEW) - unmoved
    THEN
        RAISE EXCEPTION 'request % is %: the results of its actions never change',
            NEW.request_id, request_status USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER request_actions_guard BEFORE UPDATE OR DELETE ON public.request_actions
    FOR EACH ROW EXECUTE FUNCTION public.guard_action_change();

CREATE FUNCTION public.guard_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF current_setting('pao.maintenance', true) = 'on'
            AND OLD.recorded_at < now() - interval '1 year'
        THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'the audit trail is append-only: % is refused', lower(TG_OP)
        USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER audit_logs_guard BEFORE UPDATE OR DELETE ON public.audit_logs
    FOR EACH ROW EXECUTE FUNCTION public.guard_audit();
CREATE TRIGGER audit_logs_guard_truncate BEFORE TRUNCATE ON public.audit_logs
    FOR EACH STATEMENT EXECUTE FUNCTION public.guard_audit();

CREATE FUNCTION public.refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'table % is never emptied at once', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER requests_refuse_truncate BEFORE TRUNCATE ON public.requests
    FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_truncate();
