"""The stand-in's own API, which no GitHub has: faults, ends of runs, pushes by others, the state.

It takes no foreign origin, so a web page elsewhere cannot reach it through a browser.
"""

from typing import Any

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pao.runtime.model_errors import messages_of
from sandbox.github.base import RestCalls
from sandbox.github.control_source import SourceControl
from sandbox.github.faults import MEANING, Fault, FaultBook
from sandbox.kit.control import change
from sandbox.kit.git import Entry
from sandbox.kit.origin import is_foreign
from sandbox.kit.record import Record


class Control:
    """Serves /sandbox/."""

    def __init__(self, calls: RestCalls, book: FaultBook, record: Record) -> None:
        self._calls = calls
        self._book = book
        self._record = record
        self._source = SourceControl(calls)

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/sandbox/health", self._health),
            Route("/sandbox/state", self._state),
            Route("/sandbox/calls", self._called),
            Route("/sandbox/faults", self._faults),
            change("/sandbox/faults", self._add_fault),
            Route("/sandbox/faults", self._clear, methods=["DELETE"]),
            change("/sandbox/repositories", self._add_repository),
            *self._source.routes(),
            change("/sandbox/runs", self._move_run),
            change("/sandbox/outcomes", self._plan),
            change("/sandbox/merges", self._merge),
            change("/sandbox/tokens/expire", self._expire),
            change("/sandbox/reset", self._reset),
        ]

    async def _health(self, _: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def _called(self, _: Request) -> Response:
        return JSONResponse({"calls": self._record.all()})

    async def _state(self, _: Request) -> Response:
        store = self._calls.store
        names = [found["full_name"] for found in store.all("repository").values()]
        return JSONResponse(
            {
                "repositories": {name: self._repository(name) for name in names},
                "runs": list(store.all("run").values()),
                "pulls": list(store.all("pull").values()),
            }
        )

    def _repository(self, name: str) -> dict[str, Any]:
        git, shown = self._calls.git, {}
        for ref, sha in git.refs(name).items():
            log = git.log(name, sha)
            files = git.files(name, log[0][1]["tree"])
            shown[ref] = {
                "sha": sha,
                "messages": [commit["message"] for _, commit in log],
                "files": {path: self._text(name, file) for path, file in files.items()},
                "modes": {path: file.mode for path, file in files.items()},
                "hashes": {path: file.sha for path, file in files.items()},
            }
        return shown

    def _text(self, name: str, file: Entry) -> str:
        return (self._calls.git.blob(name, file.sha) or b"").decode(errors="replace")

    async def _faults(self, _: Request) -> Response:
        faults = [fault.model_dump(mode="json") for fault in self._book.all()]
        return JSONResponse({"faults": faults, "kinds": MEANING})

    async def _add_fault(self, body: dict[str, Any]) -> Response:
        try:
            self._book.add(Fault.model_validate(body))
        except ValidationError as error:
            return JSONResponse({"message": "; ".join(messages_of(error))}, 422)
        return JSONResponse({}, 201)

    async def _clear(self, request: Request) -> Response:
        if not is_foreign(request):
            self._book.clear()
        return Response(status_code=204)

    async def _add_repository(self, body: dict[str, Any]) -> Response:
        """Make a repository; or move one that is there, or make another branch its default."""
        if "default_branch" in body:
            self._calls.change_default_branch(body["name"], body["default_branch"])
        elif "moved" in body:
            self._calls.move_repository(body["name"], body["moved"])
        else:
            self._calls.add_repository(body["name"], body.get("files") or {})
        return JSONResponse({}, 201)

    async def _move_run(self, body: dict[str, Any]) -> Response:
        """Move a run: its status, its conclusion, which job and step failed; delete or copy it."""
        store, key = self._calls.store, f"{body.pop('id'):09}"
        for _ in range(body.pop("copies", 0)):
            number = store.next_number("run", first=90001)
            store.put("run", f"{number:09}", {**store.get("run", key), "id": number})
        if body.get("deleted"):
            store.remove("run", key)
            return JSONResponse({})
        with store.change():
            store.put("run", key, {**store.get("run", key), **body})
        return JSONResponse({})

    async def _plan(self, body: dict[str, Any]) -> Response:
        """Decide how the next run of a workflow ends, where time ends it."""
        self._calls.store.put("outcome", body.pop("workflow"), body)
        return JSONResponse({})

    async def _merge(self, body: dict[str, Any]) -> Response:
        """Merge a pull request, or close it without."""
        store, key = self._calls.store, f"{body['repository'].lower()}:{body['number']:06}"
        pull = store.get("pull", key)
        merged_at = pull["created_at"] if body.get("merged", True) else None
        store.put("pull", key, {**pull, "state": "closed", "merged_at": merged_at})
        if body.get("delete_branch"):
            self._calls.git.unpoint(body["repository"], f"heads/{pull['head']['ref']}")
        return JSONResponse({})

    async def _expire(self, _: dict[str, Any]) -> Response:
        self._calls.store.remove("token")
        return JSONResponse({})

    async def _reset(self, _: dict[str, Any]) -> Response:
        """Begin anew: the seeds, no runs, no faults, no record."""
        self._book.clear()
        self._record.clear()
        self._calls.begin_anew()
        return JSONResponse({})
