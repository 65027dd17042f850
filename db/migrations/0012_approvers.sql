-- Who is asked to approve an action sees its request from then on: 'approver:<user>' names a user by
-- id or email, 'approvers:<team>' a team. Of a bundle's child the parent is shown, too.
CREATE FUNCTION public.add_approvers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.request_audience (viewer, created_at, request_id)
    SELECT DISTINCT asked.viewer, shown.created_at, shown.id
    FROM public.requests AS own
    JOIN public.requests AS shown ON shown.id IN (own.id, own.parent_id)
    CROSS JOIN (
        SELECT 'approver:' || name
        FROM jsonb_array_elements_text(NEW.waiting #> '{approvers,users}') AS name
        UNION ALL
        SELECT 'approvers:' || name
        FROM jsonb_array_elements_text(NEW.waiting #> '{approvers,teams}') AS name
    ) AS asked (viewer)
    WHERE own.id = NEW.request_id
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;

CREATE TRIGGER request_actions_add_approvers
    AFTER INSERT OR UPDATE OF waiting ON public.request_actions
    FOR EACH ROW WHEN (NEW.waiting ? 'approvers')
    EXECUTE FUNCTION public.add_approvers();

-- The list of what a caller may decide looks for waiting approvals.
CREATE INDEX request_actions_waiting ON public.request_actions (request_id)
    WHERE status = 'waiting';
