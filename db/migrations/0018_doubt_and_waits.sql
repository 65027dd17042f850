-- When the last attempt of unknown outcome has ended, and what an attempt still waited for: a look
-- is certain only when an index had time to follow, and a retry goes on asking at the same address.
ALTER TABLE public.request_actions
    ADD COLUMN doubt_since timestamptz,
    ADD COLUMN pending jsonb;
