-- The catalog from any source: contents are kept by Git's id, so that other rules judge them without
-- a call, and one row says what the source was asked last and what came of it.

CREATE TABLE public.catalog_blobs (
    id      text  PRIMARY KEY,
    content bytea NOT NULL,

    CONSTRAINT catalog_blobs_id_is_gits CHECK (id ~ '^([0-9a-f]{40}|[0-9a-f]{64})$')
);

-- A link or a submodule is judged by its mode.
ALTER TABLE public.catalog_files
    ADD COLUMN mode    text NOT NULL DEFAULT '100644',
    ADD COLUMN problem text;

ALTER TABLE public.catalog_state
    -- What the source remembers between two calls, the commit, and the files beside the catalog.
    ADD COLUMN memory      jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN commit      jsonb,
    ADD COLUMN beside      jsonb NOT NULL DEFAULT '[]',
    -- The last attempt, and since when the source cannot be read, if it cannot.
    ADD COLUMN asked_at    timestamptz,
    ADD COLUMN error_cause text,
    ADD COLUMN error_since timestamptz,
    ADD COLUMN error_until timestamptz,
    -- What is not taken over: a mass removal, or a copy that is older than what is served.
    ADD COLUMN held        jsonb,
    ADD COLUMN outdated    text,
    ADD COLUMN notice      text,

    ADD CONSTRAINT catalog_state_memory_is_object CHECK (jsonb_typeof(memory) = 'object'),
    ADD CONSTRAINT catalog_state_commit_is_object CHECK (jsonb_typeof(commit) = 'object'),
    ADD CONSTRAINT catalog_state_beside_is_array CHECK (jsonb_typeof(beside) = 'array'),
    ADD CONSTRAINT catalog_state_held_is_object CHECK (jsonb_typeof(held) = 'object');
