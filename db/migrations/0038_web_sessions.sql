-- Signing in to the pages. A code is good once, for a minute, and opens a session; of both only a
-- digest is kept, so that nobody who reads the database can use them.

CREATE TABLE public.web_sign_ins (
    code_digest   bytea       PRIMARY KEY,
    access_key_id text        NOT NULL REFERENCES public.access_keys (access_key_id),
    expires_at    timestamptz NOT NULL
);

CREATE INDEX web_sign_ins_by_expiry ON public.web_sign_ins (expires_at);

CREATE TABLE public.web_sessions (
    id            uuid        PRIMARY KEY,
    token_digest  bytea       NOT NULL UNIQUE,
    user_id       text        NOT NULL,
    email         text,
    teams         text[]      NOT NULL DEFAULT '{}',
    source        text        NOT NULL CHECK (source IN ('link', 'alb', 'oidc')),
    -- The key that vouches for a session opened by a link: without it the session is over.
    access_key_id text        REFERENCES public.access_keys (access_key_id),
    user_agent    text        NOT NULL DEFAULT '',
    created_at    timestamptz NOT NULL DEFAULT now(),
    seen_at       timestamptz NOT NULL DEFAULT now(),
    ends_at       timestamptz NOT NULL,

    CHECK ((source = 'link') = (access_key_id IS NOT NULL))
);

CREATE INDEX web_sessions_by_user ON public.web_sessions (user_id, created_at);
CREATE INDEX web_sessions_by_key ON public.web_sessions (access_key_id);
