-- What is remembered about callers: their access keys, their idempotency keys, their signatures.

CREATE TABLE public.access_keys (
    access_key_id text        PRIMARY KEY,
    sealed_secret text        NOT NULL,
    user_id       text        NOT NULL,
    email         text,
    teams         text[]      NOT NULL DEFAULT '{}',
    created_at    timestamptz NOT NULL DEFAULT now(),
    created_by    text        NOT NULL,
    revoked_at    timestamptz,
    last_used_at  timestamptz
);

CREATE INDEX access_keys_by_user ON public.access_keys (user_id);

-- The key is claimed before the request is stored, in the same transaction, so the foreign key is
-- checked at the commit.
CREATE TABLE public.idempotency_keys (
    caller_id   text        NOT NULL,
    key         text        NOT NULL,
    body_digest bytea       NOT NULL,
    request_id  uuid        NOT NULL
        REFERENCES public.requests (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    created_at  timestamptz NOT NULL DEFAULT now(),

    PRIMARY KEY (caller_id, key)
);

CREATE INDEX idempotency_keys_by_request ON public.idempotency_keys (request_id);

-- Signatures that were used. The holder tells an honest repeat from a replay.
CREATE TABLE public.replay_signatures (
    digest     bytea       PRIMARY KEY,
    holder     bytea       NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE INDEX replay_signatures_by_expiry ON public.replay_signatures (expires_at);
