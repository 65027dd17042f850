"""Forms of the pages that are being filled in, kept on the server."""
