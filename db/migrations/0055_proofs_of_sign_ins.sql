-- A keyed hash over each code and session, made by the API: who may only write these rows signs
-- nobody in. Rows of before have none and count no more; maintenance removes them.

ALTER TABLE public.web_sign_ins ADD COLUMN proof text;
ALTER TABLE public.web_sessions ADD COLUMN proof text;
