-- Why a decision was refused, as a code, and what was said with it: evidence, values that are out of
-- step, what stays behind.
ALTER TABLE public.decisions ADD COLUMN code text;
ALTER TABLE public.decisions ADD COLUMN details jsonb;

-- What attempts had sent that may have had an effect (sealed), what a correction left at another
-- place for somebody to clean up, and how often the action was moved.
ALTER TABLE public.request_actions ADD COLUMN former jsonb;
ALTER TABLE public.request_actions ADD COLUMN left_behind jsonb;
ALTER TABLE public.request_actions ADD COLUMN moves integer NOT NULL DEFAULT 0;
