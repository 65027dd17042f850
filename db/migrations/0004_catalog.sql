-- The last good catalog, served when its source cannot be reached. Requests keep a copy of their
-- item, so nothing refers to these rows.

CREATE TABLE public.catalog_items (
    id         text        PRIMARY KEY,
    kind       text        NOT NULL,
    version    text        NOT NULL,
    name       text        NOT NULL,
    category   text,
    owner_team text,
    definition jsonb       NOT NULL,
    file_path  text        NOT NULL,
    sha        text,
    stale      boolean     NOT NULL DEFAULT false,
    loaded_at  timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT catalog_items_definition_is_object CHECK (jsonb_typeof(definition) = 'object')
);
