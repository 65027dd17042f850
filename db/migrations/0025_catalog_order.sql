-- Who may do work that only one process does at a time, and which catalog is newer than another.

-- A lease ends by itself: its holder renews it, and one that was killed stands in nobody's way. An
-- advisory lock of a session would stay for good behind a pooler.
CREATE TABLE public.leases (
    name       text        PRIMARY KEY,
    holder     text        NOT NULL,
    expires_at timestamptz NOT NULL
);

-- What the folder in service holds, when it was changed last by its files' own times, and what was
-- in service before: a folder that was superseded does not come back by itself.
ALTER TABLE public.catalog_state
    ADD COLUMN digest     text,
    ADD COLUMN changed_at timestamptz,
    ADD COLUMN superseded text[] NOT NULL DEFAULT '{}';
