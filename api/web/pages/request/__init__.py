"""One request: where it stands, what it did and made, its log, live."""
