-- What people have cleaned up by hand, entry by entry. A row of its own, because the request that
-- lists the entry may be finished, and a finished request never changes.
CREATE TABLE public.cleanups_done (
    request_id uuid        NOT NULL REFERENCES public.requests (id) ON DELETE CASCADE,
    entry_id   text        NOT NULL,
    done_by    text        NOT NULL,
    done_at    timestamptz NOT NULL DEFAULT now(),
    note       text        NOT NULL,
    PRIMARY KEY (request_id, entry_id)
);

CREATE TRIGGER cleanups_done_guard BEFORE UPDATE OR DELETE ON public.cleanups_done
    FOR EACH ROW EXECUTE FUNCTION public.guard_written_once();
CREATE TRIGGER cleanups_done_refuse_truncate BEFORE TRUNCATE ON public.cleanups_done
    FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_truncate();
