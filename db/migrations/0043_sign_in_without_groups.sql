-- Sessions that an identity provider vouches for. Where it told of no groups, the pages say why
-- their user has no team.

ALTER TABLE public.web_sessions
    ADD COLUMN lacks_groups boolean NOT NULL DEFAULT false;
