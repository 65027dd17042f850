-- What the pages keep of people: items that they have starred, and decisions about many requests
-- at once, with what became of each.

CREATE TABLE public.web_stars (
    user_id         text        NOT NULL,
    catalog_item_id text        NOT NULL,
    starred_at      timestamptz NOT NULL DEFAULT now(),

    PRIMARY KEY (user_id, catalog_item_id)
);

CREATE TABLE public.web_bulk_decisions (
    -- The form's key: sending it twice is one decision.
    id         uuid        PRIMARY KEY,
    user_id    text        NOT NULL,
    cause      text        NOT NULL,
    reason     text        NOT NULL,
    requests   uuid[]      NOT NULL,
    -- By request: an empty text where the decision was taken, else why it was not.
    results    jsonb       NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX web_bulk_decisions_by_age ON public.web_bulk_decisions (created_at);
