"""The pages for people, served at `/` beside the API: a second, small FastAPI application.

A page is a folder in `pages/`: `views.py` with its routes, and its templates. A view reads by the
same services as the API does, with the same rights, and hands the template the API's own documents
and what it adds to them: words, order, percentages. Templates hold no logic; a name that they are
not given is an error.

| part | holds |
|---|---|
| `app.py` | the application: which pages there are |
| `gate.py` | what every page passes: session, own origin, rate, security headers |
| `rendering.py` | templates, what every template is given, filters for times |
| `waiting_count.py` | how many requests wait for the reader, for the navigation |
| `fields.py` | fields of forms, wherever they are filled in |
| `error_pages.py` | errors in plain words |
| `static_files.py`, `static/` | style sheet, scripts and icon, named by their content |
| `layout/` | the frame of every page, and macros that several pages use |
| `pages/` | the pages |

Only `api/app.py` imports this package, and it imports no `db`.
"""
