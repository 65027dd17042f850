-- Sessions of the API: access keys for an hour, opened by whatever identity source. They hold who
-- vouched, and for AWS who it is there, because its teams are read again at use.

ALTER TABLE public.access_keys
    ADD COLUMN source      text    NOT NULL DEFAULT 'keys',
    ADD COLUMN is_session  boolean NOT NULL DEFAULT false,
    -- The access key that opened the session, where one did: a revocation ends both.
    ADD COLUMN opened_by   text,
    ADD COLUMN aws_account text,
    ADD COLUMN aws_arn     text,
    ADD COLUMN aws_user_id text,
    ADD CONSTRAINT access_keys_session_ends CHECK (NOT is_session OR expires_at IS NOT NULL)
        NOT VALID;

ALTER TABLE public.access_keys VALIDATE CONSTRAINT access_keys_session_ends;

CREATE INDEX access_keys_sessions_by_expiry ON public.access_keys (expires_at) WHERE is_session;
CREATE INDEX access_keys_by_opener ON public.access_keys (opened_by) WHERE opened_by IS NOT NULL;

-- Keys that were issued stay for good; those of sessions are gone a day after their end.
CREATE FUNCTION public.remove_expired_key_sessions(batch integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    removed integer;
BEGIN
    IF batch < 1 OR batch > 10000 THEN
        RAISE EXCEPTION 'batch must be between 1 and 10000, not %', batch
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    WITH expired AS (
        SELECT one.access_key_id FROM public.access_keys AS one
        WHERE one.is_session AND one.expires_at < now() - interval '1 day'
            AND NOT EXISTS (
                SELECT FROM public.web_sessions WHERE access_key_id = one.access_key_id
            )
            AND NOT EXISTS (
                SELECT FROM public.web_sign_ins WHERE access_key_id = one.access_key_id
            )
        ORDER BY one.expires_at
        LIMIT batch
        FOR UPDATE SKIP LOCKED
    )
    DELETE FROM public.access_keys USING expired
    WHERE access_keys.access_key_id = expired.access_key_id;
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END
$$;

REVOKE EXECUTE ON FUNCTION public.remove_expired_key_sessions(integer) FROM PUBLIC;
