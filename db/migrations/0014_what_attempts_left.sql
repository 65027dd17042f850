-- What failed attempts of an action have left in its target, known until a look, an adoption or a
-- human has answered it; outcome_unknown holds the doubt of all attempts from now on. NULL: written
-- by an earlier version, which had both in "error" alone.
ALTER TABLE public.request_actions ADD COLUMN partial jsonb;
