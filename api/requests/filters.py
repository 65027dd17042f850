"""The filters of request lists, for callers of services; the queries are in db."""

from db.repositories.request_filters import RequestFilters, RequestSort

__all__ = ["RequestFilters", "RequestSort"]
