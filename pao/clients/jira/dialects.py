"""JIRA's two dialects: REST v2 for Data Center, v3 with ADF for Cloud.

Each method is one HTTP call through atlassian-python-api and returns the raw response.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import quote

import requests

from pao.clients.jira.adf import wiki_to_adf
from pao.clients.jira.library import Jira, JiraCloud
from pao.clients.jira.models import JiraFlavour, JiraInstance
from pao.clients.jira.texts import as_documents, storable

# At debug level the library logs whole requests and answers.
logging.getLogger("atlassian").setLevel(logging.WARNING)

META_PAGE = 50
_STATUS_FIELDS = "status,resolution"
_PARTS_FIELDS = "attachment,issuelinks"

File = tuple[str, bytes, str]
"""A file to attach: its name, content and media type."""


class Dialect(Protocol):
    """PAO's calls to a JIRA of either flavour; texts are wiki markup."""

    def create(
        self, fields: Mapping[str, Any], textareas: Collection[str] = ()
    ) -> requests.Response:
        """Create a ticket; ``textareas`` are the custom fields for long texts."""

    def edit(
        self, key: str, fields: Mapping[str, Any], textareas: Collection[str] = ()
    ) -> requests.Response:
        """Set fields of an issue; ``textareas`` are long texts among the custom fields."""

    def search(self, jql: str, *, limit: int) -> requests.Response:
        """Find tickets; of the fields only the summary is requested."""

    def status(self, key: str) -> requests.Response:
        """Get a ticket's status and resolution."""

    def statuses(self, keys: Sequence[str]) -> requests.Response:
        """Get the status and resolution of many tickets; missing ones are left out."""

    def parts(self, key: str) -> requests.Response:
        """Get a ticket's attachments and links."""

    def attach(self, key: str, file: File) -> requests.Response:
        """Attach one file."""

    def fields(self) -> requests.Response:
        """List the fields of tickets."""

    def comment(self, key: str, text: str) -> requests.Response:
        """Add a comment."""

    def link(self, link: Mapping[str, Any]) -> requests.Response:
        """Link two tickets."""

    def issue_types(self, project: str, start: int) -> requests.Response:
        """List the issue types of a project: one page."""

    def issue_fields(self, project: str, issue_type: str, start: int) -> requests.Response:
        """List the fields on creation of an issue type, given by its id: one page."""

    def legacy_create_meta(self, project: str) -> requests.Response:
        """Get types and fields at once, for older Data Center versions."""

    def server_info(self) -> requests.Response:
        """Get the server's type and version."""

    def myself(self) -> requests.Response:
        """Get the account of the credentials."""


def dialect_for(instance: JiraInstance, session: requests.Session) -> Dialect:
    """Return the dialect of the instance's flavour, speaking over the given session."""
    if instance.flavour is JiraFlavour.CLOUD:
        return _Cloud(JiraCloud(instance.base_url, **_settings(instance, session)))
    return _DataCenter(Jira(instance.base_url, api_version=2, **_settings(instance, session)))


def _settings(instance: JiraInstance, session: requests.Session) -> dict[str, Any]:
    return {
        # The session carries the credentials; the library gets none.
        "session": session,
        "verify_ssl": instance.ca_file or True,
        "advanced_mode": True,  # The raw response, instead of an exception without field names.
        "backoff_and_retry": False,
        "retry_with_header": False,  # Otherwise it sleeps for one Retry-After itself.
        "max_backoff_seconds": 1,
    }


class _DataCenter:
    # The library's methods have no types, or wrong ones for raw responses.
    def __init__(self, jira: Any) -> None:
        self._jira = jira

    def create(
        self,
        fields: Mapping[str, Any],
        textareas: Collection[str] = (),  # noqa: ARG002 -- what Cloud needs
    ) -> requests.Response:
        return _require_response(self._jira.create_issue(storable(fields)))

    def edit(
        self,
        key: str,
        fields: Mapping[str, Any],
        textareas: Collection[str] = (),  # noqa: ARG002 -- what Cloud needs
    ) -> requests.Response:
        return _require_response(
            self._jira.update_issue_field(_quote_segment(key), storable(fields))
        )

    def search(self, jql: str, *, limit: int) -> requests.Response:
        return _require_response(self._jira.jql(jql, fields="summary", limit=limit))

    def status(self, key: str) -> requests.Response:
        return _require_response(self._jira.get_issue(_quote_segment(key), fields=_STATUS_FIELDS))

    def statuses(self, keys: Sequence[str]) -> requests.Response:
        jql = f"key in ({', '.join(map(quote_jql, keys))})"
        # By default it rejects the whole query if one of the tickets is gone.
        return _require_response(
            self._jira.jql(jql, fields=_STATUS_FIELDS, limit=len(keys), validate_query="false")
        )

    def parts(self, key: str) -> requests.Response:
        return _require_response(self._jira.get_issue(_quote_segment(key), fields=_PARTS_FIELDS))

    def attach(self, key: str, file: File) -> requests.Response:
        return _require_response(self._jira.add_attachment_object(_quote_segment(key), file))

    def fields(self) -> requests.Response:
        return _require_response(self._jira.get_all_fields())

    def comment(self, key: str, text: str) -> requests.Response:
        return _require_response(self._jira.issue_add_comment(_quote_segment(key), storable(text)))

    def link(self, link: Mapping[str, Any]) -> requests.Response:
        return _require_response(self._jira.create_issue_link(dict(link)))

    def issue_types(self, project: str, start: int) -> requests.Response:
        return _meta_page(self._jira, "2", f"/{_quote_segment(project)}/issuetypes", start)

    def issue_fields(self, project: str, issue_type: str, start: int) -> requests.Response:
        path = f"/{_quote_segment(project)}/issuetypes/{_quote_segment(issue_type)}"
        return _meta_page(self._jira, "2", path, start)

    def legacy_create_meta(self, project: str) -> requests.Response:
        wanted = {"projectKeys": project, "expand": "projects.issuetypes.fields"}
        return _require_response(self._jira.get("rest/api/2/issue/createmeta", params=wanted))

    def server_info(self) -> requests.Response:
        return _require_response(self._jira.get_server_info())

    def myself(self) -> requests.Response:
        return _require_response(self._jira.myself())


class _Cloud:
    def __init__(self, jira: Any) -> None:
        self._jira = jira

    def create(
        self, fields: Mapping[str, Any], textareas: Collection[str] = ()
    ) -> requests.Response:
        document = as_documents(storable(fields), textareas)
        return _require_response(self._jira.create_issue(data={"fields": document}))

    def edit(
        self, key: str, fields: Mapping[str, Any], textareas: Collection[str] = ()
    ) -> requests.Response:
        document = as_documents(storable(fields), textareas)
        return _require_response(
            self._jira.edit_issue(_quote_segment(key), data={"fields": document})
        )

    def search(self, jql: str, *, limit: int) -> requests.Response:
        return _require_response(self._jira.enhanced_jql(jql, fields="summary", limit=limit))

    def status(self, key: str) -> requests.Response:
        return _require_response(self._jira.get_issue(_quote_segment(key), fields=_STATUS_FIELDS))

    def statuses(self, keys: Sequence[str]) -> requests.Response:
        wanted = {"issueIdsOrKeys": list(keys), "fields": _STATUS_FIELDS.split(",")}
        return _require_response(self._jira.bulk_fetch_issues(data=wanted))

    def parts(self, key: str) -> requests.Response:
        return _require_response(self._jira.get_issue(_quote_segment(key), fields=_PARTS_FIELDS))

    def attach(self, key: str, file: File) -> requests.Response:
        headers = self._jira.no_check_headers
        return _require_response(
            self._jira.add_attachment(_quote_segment(key), headers=headers, files={"file": file})
        )

    def fields(self) -> requests.Response:
        return _require_response(self._jira.get_fields())

    def comment(self, key: str, text: str) -> requests.Response:
        return _require_response(
            self._jira.add_comment(_quote_segment(key), data={"body": wiki_to_adf(storable(text))})
        )

    def link(self, link: Mapping[str, Any]) -> requests.Response:
        return _require_response(self._jira.link_issues(data=dict(link)))

    def issue_types(self, project: str, start: int) -> requests.Response:
        return _meta_page(self._jira, "3", f"/{_quote_segment(project)}/issuetypes", start)

    def issue_fields(self, project: str, issue_type: str, start: int) -> requests.Response:
        path = f"/{_quote_segment(project)}/issuetypes/{_quote_segment(issue_type)}"
        return _meta_page(self._jira, "3", path, start)

    def legacy_create_meta(self, project: str) -> requests.Response:
        wanted = {"projectKeys": project, "expand": "projects.issuetypes.fields"}
        return _require_response(self._jira.get("rest/api/3/issue/createmeta", params=wanted))

    def server_info(self) -> requests.Response:
        return _require_response(self._jira.get_server_info())

    def myself(self) -> requests.Response:
        return _require_response(self._jira.get_current_user())


def _meta_page(jira: Any, version: str, path: str, start: int) -> requests.Response:
    page = {"startAt": start, "maxResults": META_PAGE}
    return _require_response(jira.get(f"rest/api/{version}/issue/createmeta{path}", params=page))


def quote_jql(value: str) -> str:
    """Quote a value as one JQL string."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _quote_segment(key: str) -> str:
    """Quote a ticket key, which is untrusted, as one path segment."""
    return quote(key, safe="")


def _require_response(response: Any) -> requests.Response:
    if not isinstance(response, requests.Response):
        raise TypeError("the JIRA library did not return the raw response")
    return response
