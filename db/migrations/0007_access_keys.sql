-- Access keys that end by themselves, and what they are for.

ALTER TABLE public.access_keys
    ADD COLUMN expires_at timestamptz,
    ADD COLUMN note       text;
