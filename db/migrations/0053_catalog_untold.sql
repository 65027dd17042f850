-- Commits whose authors were not told on the forge yet, by id: why, and since when.

ALTER TABLE public.catalog_state
    ADD COLUMN untold jsonb NOT NULL DEFAULT '{}',
    ADD CONSTRAINT catalog_state_untold_is_object CHECK (jsonb_typeof(untold) = 'object');
