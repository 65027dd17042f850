-- Indexes for finding requests: by words, tag, cause, ticket of an escalation, and by since when
-- they wait.

-- The words of a request, in lower case. Punctuation separates them, so that every part of
-- "orders-db.example.com" is found. Immutable, because an index is made of it.
CREATE FUNCTION public.request_words(title text, item text, name text, tags text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp AS $$
    SELECT to_tsvector('simple'::regconfig, regexp_replace(
        coalesce(title, '') || ' ' || item || ' ' || name || ' ' || coalesce(tags, ''),
        '[\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e]+', ' ', 'g'
    ))
$$;

CREATE INDEX requests_by_words ON public.requests USING gin (
    public.request_words(title, catalog_item_id, catalog_item_name, metadata->>'tags')
);
CREATE INDEX requests_by_metadata ON public.requests USING gin (metadata jsonb_path_ops);
CREATE INDEX requests_by_cause ON public.requests ((error->>'cause'), created_at DESC, id DESC)
    WHERE error IS NOT NULL;
CREATE INDEX requests_by_escalation ON public.requests (escalation_ticket_key)
    WHERE escalation_ticket_key IS NOT NULL;
CREATE INDEX requests_waiting ON public.requests (waiting_since, id)
    WHERE waiting_since IS NOT NULL;
