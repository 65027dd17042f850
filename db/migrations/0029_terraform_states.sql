-- Which request works on which Terraform state. One that is not released belongs to one request, or
-- to all items that share it on purpose. A row outlives its request, as the state does.
CREATE TABLE public.terraform_states (
    id            bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    state_key     text        NOT NULL,
    place         text        NOT NULL,
    shared        boolean     NOT NULL DEFAULT false,
    request_id    uuid        NOT NULL,
    action_id     text        NOT NULL,
    item_id       text        NOT NULL,
    user_id       text        NOT NULL,
    owner_team    text,
    resources     integer,
    registered_at timestamptz NOT NULL DEFAULT now(),
    released_at   timestamptz,
    released_by   text,
    release_note  text,
    CHECK ((released_at IS NULL) = (released_by IS NULL)),
    CHECK ((released_at IS NULL) = (release_note IS NULL))
);

CREATE UNIQUE INDEX terraform_states_held ON public.terraform_states (state_key)
    WHERE released_at IS NULL;
CREATE INDEX terraform_states_request ON public.terraform_states (request_id);

-- How many resources are known to be in it may change, and it may be released, once.
CREATE FUNCTION public.guard_terraform_state() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    may_change CONSTANT text[] := '{resources, released_at, released_by, release_note}';
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'the registration % of a Terraform state stays: release it', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.released_at IS NOT NULL OR to_jsonb(OLD) - may_change <> to_jsonb(NEW) - may_change THEN
        RAISE EXCEPTION 'the registration % of a Terraform state stays as it is', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER terraform_states_guard BEFORE UPDATE OR DELETE ON public.terraform_states
    FOR EACH ROW EXECUTE FUNCTION public.guard_terraform_state();
CREATE TRIGGER terraform_states_refuse_truncate BEFORE TRUNCATE ON public.terraform_states
    FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_truncate();
