"""The JIRA instances that the operator has configured, each with one pooled client."""

from collections.abc import Iterable

from pao.clients.jira.client import JiraClient
from pao.clients.jira.models import JiraInstance


class JiraInstances:
    """Gives clients by instance name; the first instance is the default one."""

    def __init__(self, instances: Iterable[JiraInstance]) -> None:
        self._clients = {instance.name: JiraClient(instance) for instance in instances}

    def instance(self, name: str | None, project: str | None = None) -> JiraClient:
        """Give the named client, else the one whose default project it is, else the first.

        Raises ``LookupError`` with a sentence that says what is configured.
        """
        if not self._clients:
            raise LookupError("no JIRA is configured; set JIRA_BASE_URL and its credentials")
        if name is None:
            return self._by_project(project)
        if name not in self._clients:
            known = ", ".join(self._clients)
            raise LookupError(f"there is no JIRA instance {name!r}; configured are: {known}")
        return self._clients[name]

    def all(self) -> dict[str, JiraClient]:
        """Give every client by its instance's name."""
        return dict(self._clients)

    def close(self) -> None:
        """Close every client's connections."""
        for client in self._clients.values():
            client.close()

    def _by_project(self, project: str | None) -> JiraClient:
        for client in self._clients.values():
            if client.instance.default_project == project:
                return client
        return next(iter(self._clients.values()))
