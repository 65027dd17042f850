-- What CODEOWNERS and documents disagree about where that is reported and refuses nothing.

ALTER TABLE public.catalog_state
    ADD COLUMN ownership jsonb NOT NULL DEFAULT '[]',
    ADD CONSTRAINT catalog_state_ownership_is_array CHECK (jsonb_typeof(ownership) = 'array');
