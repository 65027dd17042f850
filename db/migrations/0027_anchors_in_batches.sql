-- An anchor takes in 50,000 ends of chains at most, so that the first one of a large trail stays
-- within a statement's time limit. One that is full is not complete: what it has left out is older
-- than it, so the next one looks as far back as the one after the newest complete anchor did.
CREATE OR REPLACE FUNCTION public.anchor_audit() RETURNS public.audit_anchors
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    most CONSTANT integer := 50000;
    last public.audit_anchors;
    made public.audit_anchors;
    complete timestamptz;
BEGIN
    PERFORM pg_advisory_xact_lock(7236401125120);
    SELECT * INTO last FROM public.audit_anchors ORDER BY id DESC LIMIT 1;
    SELECT anchor.at INTO complete FROM public.audit_anchors AS anchor
    WHERE anchor.chains < most ORDER BY anchor.id DESC LIMIT 1;
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
    WHERE (complete IS NULL OR head.changed_at > complete - interval '1 day')
        AND (head.position, head.base_position)
            IS DISTINCT FROM (anchored.position, anchored.base_position)
    LIMIT most;
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
