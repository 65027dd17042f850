-- The audit trail proves itself: the lines of a request are a chain of hashes, and every day an
-- anchor takes in the ends of all chains. What verifies them is db/audit_chain.py; the bytes that are
-- hashed are the same there and here, and a test holds both together.

-- The end of each chain, and what maintenance has removed of its beginning. A chain is named by its
-- request; the lines that belong to none (keys, the catalog) have the chain of zeros.
CREATE TABLE public.audit_heads (
    chain         uuid        PRIMARY KEY,
    position      bigint      NOT NULL,
    hash          bytea       NOT NULL,
    base_position bigint      NOT NULL DEFAULT 0,
    base_hash     bytea       NOT NULL DEFAULT '',
    changed_at    timestamptz NOT NULL DEFAULT clock_timestamp()
)
-- Every line of a request writes its row: room for the next version beside it.
WITH (fillfactor = 70);

CREATE TABLE public.audit_anchors (
    id       bigint      PRIMARY KEY,
    at       timestamptz NOT NULL,
    chains   bigint      NOT NULL,
    root     bytea       NOT NULL,
    previous bytea       NOT NULL,
    hash     bytea       NOT NULL
);

-- The chains that had changed since the anchor before: older anchors vouch for the others.
CREATE TABLE public.audit_anchor_heads (
    anchor_id     bigint NOT NULL
        REFERENCES public.audit_anchors (id) DEFERRABLE INITIALLY DEFERRED,
    chain         uuid   NOT NULL,
    position      bigint NOT NULL,
    hash          bytea  NOT NULL,
    base_position bigint NOT NULL,
    base_hash     bytea  NOT NULL,

    PRIMARY KEY (anchor_id, chain)
);

CREATE INDEX audit_anchor_heads_by_chain ON public.audit_anchor_heads (chain, anchor_id DESC);

ALTER TABLE public.audit_logs
    ADD COLUMN position bigint,
    ADD COLUMN hash     bytea;

-- One part of a line as bytes that cannot be mistaken for another: its length goes before it.
CREATE FUNCTION public.audit_part(value text) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN value IS NULL THEN '-'::bytea
        ELSE convert_to(octet_length(value) || ':' || value, 'UTF8') END
$$;

-- The hash of a line: of the one before it and of everything that the line says.
CREATE FUNCTION public.audit_hash(previous bytea, line public.audit_logs) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT sha256(
        previous
        || public.audit_part(line.position::text)
        || public.audit_part(line.id::text)
        || public.audit_part(line.request_id::text)
        || public.audit_part(line.action_id)
        || public.audit_part(line.correlation_id::text)
        || public.audit_part(line.event_type)
        || public.audit_part(line.event_data::text)
        || public.audit_part(line.actor)
        || public.audit_part(line.via)
        || public.audit_part(line.reason)
        || public.audit_part((extract(epoch FROM line.at) * 1000000)::bigint::text)
        || public.audit_part(line.source_system)
        || public.audit_part(line.run_id)
        || public.audit_part(line.seq::text)
        || public.audit_part((extract(epoch FROM line.recorded_at) * 1000000)::bigint::text)
        || public.audit_part(line.identity)
    )
$$;

-- Whoever adds a line holds the end of its chain until the commit, so that two writers of one
-- request follow each other, and those of different requests never meet.
CREATE FUNCTION public.chain_audit() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    own CONSTANT uuid := coalesce(NEW.request_id, '00000000-0000-0000-0000-000000000000');
    head public.audit_heads;
BEGIN
    SELECT * INTO head FROM public.audit_heads WHERE chain = own FOR UPDATE;
    IF NOT FOUND THEN
        INSERT INTO public.audit_heads (chain, position, hash) VALUES (own, 0, '')
        ON CONFLICT (chain) DO NOTHING;
        SELECT * INTO STRICT head FROM public.audit_heads WHERE chain = own FOR UPDATE;
    END IF;
    NEW.position := head.position + 1;
    NEW.hash := public.audit_hash(head.hash, NEW);
    UPDATE public.audit_heads
    SET position = NEW.position, hash = NEW.hash, changed_at = clock_timestamp()
    WHERE chain = own;
    RETURN NEW;
END
$$;

-- The lines of before this migration are chained in the order in which they were written.
ALTER TABLE public.audit_logs DISABLE TRIGGER audit_logs_guard;

DO $$
DECLARE
    line public.audit_logs;
    own uuid;
    last uuid;
    place bigint;
    digest bytea;
BEGIN
    FOR line IN SELECT * FROM public.audit_logs ORDER BY request_id NULLS FIRST, id LOOP
        own := coalesce(line.request_id, '00000000-0000-0000-0000-000000000000');
        IF own IS DISTINCT FROM last THEN
            IF last IS NOT NULL THEN
                INSERT INTO public.audit_heads (chain, position, hash)
                VALUES (last, place, digest);
            END IF;
            last := own;
            place := 0;
            digest := '';
        END IF;
        place := place + 1;
        line.position := place;
        digest := public.audit_hash(digest, line);
        UPDATE public.audit_logs SET position = place, hash = digest WHERE id = line.id;
    END LOOP;
    IF last IS NOT NULL THEN
        INSERT INTO public.audit_heads (chain, position, hash) VALUES (last, place, digest);
    END IF;
END
$$;

ALTER TABLE public.audit_logs ENABLE TRIGGER audit_logs_guard;
ALTER TABLE public.audit_logs
    ALTER COLUMN position SET NOT NULL,
    ALTER COLUMN hash SET NOT NULL;

CREATE TRIGGER audit_logs_chain BEFORE INSERT ON public.audit_logs
    FOR EACH ROW EXECUTE FUNCTION public.chain_audit();

-- An anchor: the ends of the chains that have changed since the one before, and that one's hash.
-- Nobody who adds a line waits for it. Answers the newest anchor, which is an older one where
-- nothing has changed.
CREATE FUNCTION public.anchor_audit() RETURNS public.audit_anchors
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    last public.audit_anchors;
    made public.audit_anchors;
BEGIN
    PERFORM pg_advisory_xact_lock(7236401125120);
    SELECT * INTO last FROM public.audit_anchors ORDER BY id DESC LIMIT 1;
    made.id := coalesce(last.id, 0) + 1;
    made.at := clock_timestamp();
    made.previous := coalesce(last.hash, '');

    -- A line may have been written long before its transaction ended: a day is far more than that.
    INSERT INTO public.audit_anchor_heads
        (anchor_id, chain, position, hash, base_position, base_hash)
    SELECT made.id, head.chain, head.position, head.hash, head.base_position, head.base_hash
    FROM public.audit_heads AS head
    LEFT JOIN LATERAL (
        SELECT known.position, known.base_position
        FROM public.audit_anchor_heads AS known
        WHERE known.chain = head.chain
        ORDER BY known.anchor_id DESC
        LIMIT 1
    ) AS anchored ON true
    WHERE (last.at IS NULL OR head.changed_at > last.at - interval '1 day')
        AND (head.position, head.base_position)
            IS DISTINCT FROM (anchored.position, anchored.base_position);
    GET DIAGNOSTICS made.chains = ROW_COUNT;
    IF made.chains = 0 THEN
        RETURN last;
    END IF;

    SELECT sha256(string_agg(
        uuid_send(head.chain) || int8send(head.position) || head.hash
            || int8send(head.base_position) || head.base_hash,
        ''::bytea ORDER BY head.chain
    )) INTO made.root
    FROM public.audit_anchor_heads AS head
    WHERE head.anchor_id = made.id;
    made.hash := sha256(
        made.previous || int8send(made.id)
        || int8send((extract(epoch FROM made.at) * 1000000)::bigint)
        || int8send(made.chains) || made.root
    );
    INSERT INTO public.audit_anchors SELECT made.*;
    RETURN made;
END
$$;

REVOKE EXECUTE ON FUNCTION public.anchor_audit() FROM PUBLIC;

-- Ends only move on, anchors stay; what maintenance may remove here are the ends of chains of which
-- nothing is left, and what anchors of long ago took in: their roots and hashes stay.
CREATE FUNCTION public.guard_audit_proof() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    maintained CONSTANT boolean := current_setting('pao.maintenance', true) = 'on';
BEGIN
    IF TG_TABLE_NAME = 'audit_heads' AND TG_OP = 'UPDATE' THEN
        IF NEW.chain = OLD.chain AND (
            NEW.position = OLD.position + 1
            AND (NEW.base_position, NEW.base_hash) = (OLD.base_position, OLD.base_hash)
            OR maintained AND NEW.base_position BETWEEN OLD.base_position AND OLD.position
            AND (NEW.position, NEW.hash) = (OLD.position, OLD.hash)
        ) THEN
            RETURN NEW;
        END IF;
    ELSIF TG_TABLE_NAME = 'audit_heads' AND TG_OP = 'DELETE' THEN
        IF maintained AND OLD.base_position = OLD.position
            AND OLD.changed_at < now() - interval '800 days'
        THEN
            RETURN OLD;
        END IF;
    ELSIF TG_TABLE_NAME = 'audit_anchor_heads' AND TG_OP = 'DELETE' THEN
        IF maintained AND EXISTS (
            SELECT FROM public.audit_anchors
            WHERE id = OLD.anchor_id AND at < now() - interval '2 years'
        ) THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'the proof of the audit trail is append-only: % of % is refused',
        lower(TG_OP), TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER audit_heads_guard BEFORE UPDATE OR DELETE ON public.audit_heads
    FOR EACH ROW EXECUTE FUNCTION public.guard_audit_proof();
CREATE TRIGGER audit_heads_guard_truncate BEFORE TRUNCATE ON public.audit_heads
    FOR EACH STATEMENT EXECUTE FUNCTION public.guard_audit_proof();
CREATE TRIGGER audit_anchors_guard BEFORE UPDATE OR DELETE ON public.audit_anchors
    FOR EACH ROW EXECUTE FUNCTION public.guard_audit_proof();
CREATE TRIGGER audit_anchors_guard_truncate BEFORE TRUNCATE ON public.audit_anchors
    FOR EACH STATEMENT EXECUTE FUNCTION public.guard_audit_proof();
CREATE TRIGGER audit_anchor_heads_guard BEFORE UPDATE OR DELETE ON public.audit_anchor_heads
    FOR EACH ROW EXECUTE FUNCTION public.guard_audit_proof();
CREATE TRIGGER audit_anchor_heads_guard_truncate BEFORE TRUNCATE ON public.audit_anchor_heads
    FOR EACH STATEMENT EXECUTE FUNCTION public.guard_audit_proof();

-- As in 0006, but of a chain only its beginning goes, and the last hash that went is kept: what is
-- left is verified from there.
CREATE OR REPLACE FUNCTION public.remove_expired(
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
    WITH oldest AS MATERIALIZED (
        SELECT id, request_id, position, hash, recorded_at
        FROM public.audit_logs ORDER BY id LIMIT batch
    ),
    expired AS (
        SELECT
            oldest.id, oldest.position, oldest.hash, head.chain, head.base_position,
            row_number() OVER (PARTITION BY head.chain ORDER BY oldest.position) AS nth
        FROM oldest
        JOIN public.audit_heads AS head
            ON head.chain = coalesce(oldest.request_id, '00000000-0000-0000-0000-000000000000')
        WHERE oldest.recorded_at < now() - interval '1 year'
    ),
    beginning AS (
        SELECT id, chain, position, hash FROM expired WHERE position = base_position + nth
    ),
    kept AS (
        UPDATE public.audit_heads AS head
        SET base_position = last.position, base_hash = last.hash, changed_at = clock_timestamp()
        FROM (
            SELECT DISTINCT ON (chain) chain, position, hash FROM beginning
            ORDER BY chain, position DESC
        ) AS last
        WHERE head.chain = last.chain AND head.base_position < last.position
    )
    DELETE FROM public.audit_logs USING beginning WHERE audit_logs.id = beginning.id;
    GET DIAGNOSTICS removed_audit_rows = ROW_COUNT;

    WITH old AS (
        SELECT known.anchor_id, known.chain
        FROM public.audit_anchor_heads AS known
        JOIN public.audit_anchors ON audit_anchors.id = known.anchor_id
        WHERE audit_anchors.at < now() - interval '2 years'
        ORDER BY known.anchor_id
        LIMIT batch
    )
    DELETE FROM public.audit_anchor_heads AS known USING old
    WHERE known.anchor_id = old.anchor_id AND known.chain = old.chain;
    WITH ended AS (
        SELECT chain FROM public.audit_heads
        WHERE base_position = position AND changed_at < now() - interval '800 days'
        LIMIT batch
    )
    DELETE FROM public.audit_heads AS head USING ended WHERE head.chain = ended.chain;

    PERFORM set_config('pao.maintenance', 'off', true);
END
$$;
