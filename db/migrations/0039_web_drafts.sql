-- Forms that are being filled in. What was typed is kept as typed, even where it is no value yet;
-- passwords and files are sealed, bound to the draft and the field.

CREATE TABLE public.web_drafts (
    id              uuid        PRIMARY KEY,
    user_id         text        NOT NULL,
    catalog_item_id text        NOT NULL,
    item_version    text        NOT NULL,
    texts           jsonb       NOT NULL DEFAULT '{}',
    sealed          jsonb       NOT NULL DEFAULT '{}',
    -- Saves are numbered, so that a late one does not undo a newer one.
    saved           bigint      NOT NULL DEFAULT 0,
    request_id      uuid        REFERENCES public.requests (id) ON DELETE CASCADE,
    created_at      timestamptz NOT NULL DEFAULT now(),
    changed_at      timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX web_drafts_by_user ON public.web_drafts (user_id, changed_at);
CREATE INDEX web_drafts_by_age ON public.web_drafts (changed_at);
CREATE INDEX web_drafts_by_request ON public.web_drafts (request_id) WHERE request_id IS NOT NULL;
