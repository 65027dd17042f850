"""`/platform`: the state of the catalog, and trying a document before it is published."""
