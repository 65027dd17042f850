"""The filters of request lists, for callers of services; the queries are in db."""

from db.repositories.request_filters import RequestFilters, Sort

__all__ = ["RequestFilters", "Sort"]
