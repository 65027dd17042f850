"""Sessions of the pages: how they are opened, found and ended."""
