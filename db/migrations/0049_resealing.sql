-- The owner may seal the secrets of access keys anew (`pao keys rotate-encryption`). The service's
-- role may not: it has no right to that column.
CREATE OR REPLACE FUNCTION public.guard_access_key() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    may_change text[] := '{revoked_at, last_used_at}';
BEGIN
    IF current_setting('pao.resealing', true) = 'on' THEN
        may_change := may_change || '{sealed_secret}';
    END IF;
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
