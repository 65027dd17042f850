-- Which installation of PAO this database belongs to. The id travels with every workflow, so that
-- the worker of another installation, which shares a task queue by mistake, does not act on it.
CREATE TABLE public.installation (
    id     uuid    NOT NULL DEFAULT gen_random_uuid(),
    single boolean PRIMARY KEY DEFAULT true,

    CONSTRAINT installation_is_one CHECK (single)
);

INSERT INTO public.installation DEFAULT VALUES;
