-- What maintenance may remove, and nothing else: the service itself has no right to delete.

-- Removes at most "batch" requests that ended more than 90 days ago, and at most "batch" audit rows
-- older than a year. Call it until both answers are zero. It runs with the owner's rights, so its
-- search path is fixed and every name is qualified; the triggers check the ages once more.
CREATE FUNCTION public.remove_expired(
    batch integer, OUT removed_requests integer, OUT removed_audit_rows integer
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF batch < 1 OR batch > 10000 THEN
        RAISE EXCEPTION 'batch must be between 1 and 10000, not %', batch
            USING ERRCODE = 'invalid_parameter_value';
    END IF;

    PERFORM set_config('pao.maintenance', 'on', true);

    -- A parent goes after its children, in a later batch at the latest.
    WITH expired AS (
        SELECT candidate.id FROM public.requests AS candidate
        WHERE candidate.status IN ('completed', 'aborted', 'escalated')
            AND candidate.updated_at < now() - interval '90 days'
            AND NOT EXISTS (
                SELECT FROM public.requests AS child WHERE child.parent_id = candidate.id
            )
        ORDER BY candidate.updated_at
        LIMIT batch
        FOR UPDATE OF candidate SKIP LOCKED
    )
    DELETE FROM public.requests USING expired WHERE requests.id = expired.id;
    GET DIAGNOSTICS removed_requests = ROW_COUNT;

    -- Ids grow with the time of writing, so the oldest rows are the first of the primary key.
    WITH oldest AS (
        SELECT id, recorded_at FROM public.audit_logs ORDER BY id LIMIT batch
    )
    DELETE FROM public.audit_logs USING oldest
    WHERE audit_logs.id = oldest.id AND oldest.recorded_at < now() - interval '1 year';
    GET DIAGNOSTICS removed_audit_rows = ROW_COUNT;

    PERFORM set_config('pao.maintenance', 'off', true);
END
$$;

REVOKE EXECUTE ON FUNCTION public.remove_expired(integer) FROM PUBLIC;
