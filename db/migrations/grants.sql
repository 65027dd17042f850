-- The rights of the service's role, written anew after every migration; skipped where the role does
-- not exist (a plain database with one user). A right that is not listed here is not given.

REVOKE ALL ON
    public.requests, public.request_actions, public.request_audience, public.decisions,
    public.request_events, public.audit_logs, public.idempotency_keys, public.access_keys,
    public.replay_signatures, public.catalog_items, public.catalog_files, public.catalog_state,
    public.catalog_blobs,
    public.breakers, public.upkeep, public.schema_migrations,
    public.audit_heads, public.audit_anchors, public.audit_anchor_heads,
    public.leases, public.terraform_states, public.cleanups_done, public.installation,
    public.web_sign_ins, public.web_sessions, public.web_drafts, public.request_waits,
    public.web_stars, public.web_bulk_decisions
FROM pao_service;

GRANT USAGE ON SCHEMA public TO pao_service;
-- Before Postgres 15 everybody may create there; a notice tells where it is not the owner's to revoke.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;

GRANT SELECT, INSERT, UPDATE ON public.requests TO pao_service;
GRANT SELECT, INSERT, UPDATE ON public.request_actions TO pao_service;
-- Who sees a request, and when it waited, is written by triggers, with the owner's rights.
GRANT SELECT ON public.request_audience, public.request_waits TO pao_service;
GRANT SELECT, INSERT, UPDATE ON public.decisions TO pao_service;
GRANT SELECT, INSERT ON public.request_events TO pao_service;

-- Not "recorded_at": the age of an audit row is counted by the database's clock alone.
GRANT SELECT ON public.audit_logs TO pao_service;
GRANT INSERT (
    request_id, action_id, correlation_id, event_type, event_data, actor, via, reason, at,
    source_system, run_id, seq, identity
) ON public.audit_logs TO pao_service;
-- The chain of the trail and its anchors are written by functions, with the owner's rights.
GRANT SELECT ON public.audit_heads, public.audit_anchors, public.audit_anchor_heads
    TO pao_service;

GRANT SELECT, INSERT ON public.idempotency_keys TO pao_service;
GRANT SELECT, INSERT, UPDATE (revoked_at, last_used_at) ON public.access_keys TO pao_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.replay_signatures TO pao_service;
GRANT SELECT, INSERT, UPDATE ON public.catalog_items TO pao_service;
GRANT SELECT, INSERT, UPDATE ON public.upkeep TO pao_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.catalog_files TO pao_service;
GRANT SELECT, INSERT, DELETE ON public.catalog_blobs TO pao_service;
GRANT SELECT, UPDATE ON public.catalog_state TO pao_service;
GRANT SELECT, INSERT, UPDATE ON public.leases TO pao_service;
GRANT SELECT, INSERT ON public.cleanups_done TO pao_service;
GRANT SELECT, INSERT, UPDATE (resources, released_at, released_by, release_note)
    ON public.terraform_states TO pao_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.breakers TO pao_service;
GRANT SELECT, INSERT, DELETE ON public.web_sign_ins TO pao_service;
GRANT SELECT, INSERT, DELETE, UPDATE (seen_at) ON public.web_sessions TO pao_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.web_drafts TO pao_service;
GRANT SELECT, INSERT, DELETE ON public.web_stars TO pao_service;
GRANT SELECT, INSERT, DELETE, UPDATE (results) ON public.web_bulk_decisions TO pao_service;
GRANT SELECT ON public.schema_migrations, public.installation TO pao_service;

GRANT EXECUTE ON FUNCTION public.remove_expired(integer) TO pao_service;
GRANT EXECUTE ON FUNCTION public.remove_expired_key_sessions(integer) TO pao_service;
GRANT EXECUTE ON FUNCTION public.refresh_statistics() TO pao_service;
GRANT EXECUTE ON FUNCTION public.anchor_audit() TO pao_service;
