-- The catalog as all processes serve it: every change of an item has a number, the files are
-- remembered with what was found in them, and one row says how the catalog stands as a whole.

ALTER TABLE public.catalog_items
    ADD COLUMN generation bigint NOT NULL DEFAULT 0;

-- What was judged already: a file with the same content is not judged a second time, by whichever
-- process and after whichever restart. "judged_by" names the rules that did.
CREATE TABLE public.catalog_files (
    path      text  PRIMARY KEY,
    sha       text  NOT NULL,
    judged_by text  NOT NULL,
    facts     jsonb,
    findings  jsonb NOT NULL DEFAULT '[]',

    CONSTRAINT catalog_files_facts_is_object CHECK (jsonb_typeof(facts) = 'object'),
    CONSTRAINT catalog_files_findings_is_array CHECK (jsonb_typeof(findings) = 'array')
);

CREATE TABLE public.catalog_state (
    singleton  boolean     PRIMARY KEY DEFAULT true,
    generation bigint      NOT NULL DEFAULT 0,
    source     text,
    revision   text,
    synced_at  timestamptz,
    error      text,
    refused    jsonb       NOT NULL DEFAULT '[]',

    CONSTRAINT catalog_state_is_one_row CHECK (singleton),
    CONSTRAINT catalog_state_refused_is_array CHECK (jsonb_typeof(refused) = 'array')
);

INSERT INTO public.catalog_state DEFAULT VALUES;
