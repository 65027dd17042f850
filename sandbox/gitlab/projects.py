"""Projects with their branches, files, protections and statuses; their hooks get the events."""

import json
import queue
import threading
from collections.abc import Mapping
from typing import Any

import httpx

from sandbox.gitlab.settings import DEFAULT_BRANCH
from sandbox.kit.git import FILE, LINK, Git, GitEntry
from sandbox.kit.store import DocumentStore

_WHO = {"name": "ann", "email": "ann@example.com", "date": "2026-03-05T14:07:09+00:00"}
_NOBODY = "0" * 40
_ARROW = "-> "


class Projects:
    """All projects, over one store."""

    def __init__(self, store: DocumentStore) -> None:
        self.store = store
        self.git = Git(store)
        self._deliveries: queue.SimpleQueue[tuple[dict[str, Any], str, dict[str, Any]]] = (
            queue.SimpleQueue()
        )
        self._thread: threading.Thread | None = None

    def add(self, name: str, files: Mapping[str, str]) -> None:
        """Make a project; without files it is empty."""
        self.store.put("project", name.lower(), {"path": name, "branch": DEFAULT_BRANCH})
        if files:
            self.push(name, DEFAULT_BRANCH, files)

    def push(
        self,
        name: str,
        branch: str,
        files: Mapping[str, str | None],
        *,
        message: str = "Somebody else's work",
        parent: str | None = None,
    ) -> str:
        """Commit to a branch; None removes a file, an arrow makes a symbolic link."""
        git = self.git
        with self.store.change():
            before = git.ref(name, f"heads/{branch}")
            start = parent or before
            commit = git.commit(name, start) if start else None
            files_after = git.files(name, commit["tree"]) if commit else {}
            for path, content in files.items():
                if content is None:
                    del files_after[path]
                    continue
                link = content.startswith(_ARROW)
                sha = git.add_blob(name, content.removeprefix(_ARROW).encode())
                files_after[path] = GitEntry(LINK if link else FILE, sha)
            tree = git.add_tree(name, files_after)
            sha = git.add_commit(
                name, tree=tree, parents=[start] if start else [], message=message, who=_WHO
            )
            git.point(name, f"heads/{branch}", sha)
        self.notify(name, "Push Hook", _push_payload(name, branch, before or _NOBODY, sha))
        return sha

    def remove_branch(self, name: str, branch: str) -> None:
        """Delete a branch."""
        before = self.git.ref(name, f"heads/{branch}") or _NOBODY
        self.git.unpoint(name, f"heads/{branch}")
        self.notify(name, "Push Hook", _push_payload(name, branch, before, _NOBODY))

    def notify(self, name: str, event: str, payload: dict[str, Any]) -> None:
        """Deliver an event to the hook of a project, if it has one."""
        hook = self.store.get("hook", name.lower())
        if hook is None:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, daemon=True)
            self._thread.start()
        self._deliveries.put((hook, event, payload))

    def _work(self) -> None:
        while True:
            hook, event, payload = self._deliveries.get()
            number = self.store.next_number("delivery")
            headers = {
                "Content-Type": "application/json",
                "X-Gitlab-Event": event,
                "X-Gitlab-Token": hook["token"],
                "Idempotency-Key": f"delivery-{number}",
            }
            body = json.dumps(payload).encode()
            try:
                answer = httpx.post(hook["url"], content=body, headers=headers, trust_env=False)
                result = {"status": answer.status_code, "answer": answer.text}
            except httpx.HTTPError as error:
                result = {"status": 0, "answer": type(error).__name__}
            self.store.put("delivery", f"{number:09}", {"event": event, **result})


def _push_payload(name: str, branch: str, before: str, after: str) -> dict[str, Any]:
    return {
        "object_kind": "push",
        "event_name": "push",
        "ref": f"refs/heads/{branch}",
        "before": before,
        "after": after,
        "checkout_sha": None if after == _NOBODY else after,
        "project": {"path_with_namespace": name, "default_branch": DEFAULT_BRANCH},
        "commits": [],
        "total_commits_count": 0,
    }
