"""Everything about catalog documents: reading, checking, forms, templates, plans."""
