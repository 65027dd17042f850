"""Everything about catalog documents: reading, checking, forms, templates, plans. No I/O but files."""
