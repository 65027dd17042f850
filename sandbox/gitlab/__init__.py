"""A stand-in for GitLab: the routes by which a catalog is read and its authors are notified."""
