-- Which component of its bundle a child is. Rows of children are stored with their parent, and what
-- was submitted stays: the trigger of 0005 is made anew with the new column.
ALTER TABLE public.requests ADD COLUMN component_id text;

ALTER TABLE public.requests ADD CONSTRAINT requests_component_has_bundle CHECK (
    component_id IS NULL OR parent_id IS NOT NULL
);

CREATE UNIQUE INDEX requests_component_once ON public.requests (parent_id, component_id)
    WHERE component_id IS NOT NULL;

DROP TRIGGER requests_refuse_rewrite ON public.requests;
CREATE TRIGGER requests_refuse_rewrite
    BEFORE UPDATE OF
        id, parent_id, component_id, catalog_item_id, catalog_item_version, catalog_item_name,
        owner_team, item_sha, item_definition, plan, user_id, user_email, user_arn, user_teams,
        correlation_id, created_at
    ON public.requests
    FOR EACH ROW EXECUTE FUNCTION public.refuse_request_rewrite();

-- The sweeper starts no component: its bundle does, in its turn.
DROP INDEX public.requests_unstarted;
CREATE INDEX requests_unstarted ON public.requests (created_at)
    WHERE run_id IS NULL AND status = 'submitted' AND parent_id IS NULL;
