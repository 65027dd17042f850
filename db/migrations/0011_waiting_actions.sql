-- Why an action was skipped, and what a waiting one waits for: the kind of the wait, since when, and
-- of an approval who may decide it until when.
ALTER TABLE public.request_actions ADD COLUMN note text;
ALTER TABLE public.request_actions ADD COLUMN waiting jsonb;
