-- Which request a draft repeats, so that a review can mark what is different.
ALTER TABLE public.web_drafts
    ADD COLUMN repeats uuid REFERENCES public.requests (id) ON DELETE SET NULL;

CREATE INDEX web_drafts_by_repeated ON public.web_drafts (repeats) WHERE repeats IS NOT NULL;

-- Since when a target has failed without an answer in between.
ALTER TABLE public.breakers ADD COLUMN failing_since timestamptz;
