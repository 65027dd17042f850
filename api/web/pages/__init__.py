"""The pages, one folder each: `views.py` with the routes, and the templates."""
