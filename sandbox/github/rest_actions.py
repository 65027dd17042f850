"""GitHub Actions: dispatching a workflow, its runs and their jobs. Nothing is really run."""

import re
import time
from typing import Any

import yaml
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.github.base import GitHubApi, GitHubResponseError, page, read_object, timestamp, user

_ROOT = "/repos/{owner}/{repo}/actions"
_INPUT = re.compile(r"\$\{\{\s*(?:github\.event\.)?inputs\.([\w-]+)\s*\}\}")


class ActionsRoutes:
    """Serves /repos/{owner}/{repo}/actions."""

    def __init__(self, api: GitHubApi) -> None:
        self._api = api

    def routes(self) -> list[Route]:
        """Return the routes."""
        route, workflow = self._api.route, f"{_ROOT}/workflows/{{workflow}}"
        return [
            route(f"{workflow}/dispatches", self._dispatch, "POST"),
            route(f"{workflow}/runs", self._runs),
            route(f"{_ROOT}/runs/{{id:int}}", self._run),
            route(f"{_ROOT}/runs/{{id:int}}/jobs", self._jobs),
            route(f"{_ROOT}/runs/{{id:int}}/cancel", self._cancel, "POST"),
        ]

    async def _dispatch(self, request: Request) -> Response:
        name, file = self._api.repository(request), request.path_params["workflow"]
        flavour = self._api.settings.flavour
        given = await read_object(request, flavour.dispatch_properties)
        inputs = given.get("inputs") or {}
        if len(inputs) > flavour.most_inputs:
            most = flavour.most_inputs
            raise GitHubResponseError(
                422, f"Invalid request.\n\nNo more than {most} properties are allowed."
            )
        ref = str(given.get("ref", "")).removeprefix("refs/heads/").removeprefix("refs/tags/")
        sha = self._api.git.resolve(name, ref)
        workflow = self._workflow(name, file, ref)
        if sha is None:
            raise GitHubResponseError(422, f"No ref found for: {ref}")
        run = self._start(name, file, workflow, ref=ref, sha=sha, inputs=inputs)
        if not given.get("return_run_details"):
            return Response(status_code=204)
        number = run["id"]
        return JSONResponse(
            {
                "workflow_run_id": number,
                "run_url": self._api.api_url(request, f"/repos/{name}/actions/runs/{number}"),
                "html_url": self._api.page_url(request, f"/{name}/actions/runs/{number}"),
            }
        )

    def _workflow(self, name: str, file: str, ref: str) -> dict[Any, Any]:
        git = self._api.git
        default = self._api.store.get("repository", name.lower())["default_branch"]
        sha = git.resolve(name, ref) or git.resolve(name, default)
        commit = git.commit(name, sha) if sha else None
        files = git.files(name, commit["tree"]) if commit else {}
        entry = files.get(f".github/workflows/{file}")
        document = yaml.safe_load(git.blob(name, entry.sha) or b"") if entry else None
        if not isinstance(document, dict):
            raise GitHubResponseError(404, "Not Found")
        return document

    def _start(  # noqa: PLR0913 -- what a run is made of
        self,
        name: str,
        file: str,
        workflow: dict[Any, Any],
        *,
        ref: str,
        sha: str,
        inputs: dict[str, Any],
    ) -> dict[str, Any]:
        values = _check_inputs(workflow, inputs)
        store, title = self._api.store, str(workflow.get("run-name") or workflow.get("name"))
        number = store.next_number("run", first=90001)
        run = {
            "id": number,
            "repository": name,
            "workflow": file,
            "workflow_name": str(workflow.get("name") or file),
            "title": _INPUT.sub(lambda found: str(values.get(found[1], "")), title),
            "ref": ref,
            "sha": sha,
            "inputs": inputs,
            "jobs": list(workflow.get("jobs") or {"run": {}}),
            "at": time.time(),
            "status": "queued",
            "conclusion": None,
            "failed": None,
        }
        planned = store.get("outcome", file)
        if planned is not None:
            store.remove("outcome", file)
            run["planned"] = planned
        store.put("run", f"{number:09}", run)
        return run

    async def _runs(self, request: Request) -> Response:
        name, file = self._api.repository(request), request.path_params["workflow"]
        asked, lag = request.query_params, self._api.settings.listing_lag
        least = asked.get("created", "").removeprefix(">=")
        found = [
            run
            for run in map(self.current_run, reversed(self._api.store.all("run").values()))
            if (run["repository"], run["workflow"]) == (name, file)
            and asked.get("branch", run["ref"]) == run["ref"]
            and asked.get("event", "workflow_dispatch") == "workflow_dispatch"
            and timestamp(run["at"]) >= least
            and run["at"] + lag <= time.time()
        ]
        shown = [self._shape(request, run) for run in page(request, found)]
        return JSONResponse({"total_count": len(found), "workflow_runs": shown})

    async def _run(self, request: Request) -> Response:
        return JSONResponse(self._shape(request, self._stored_run(request)))

    async def _jobs(self, request: Request) -> Response:
        jobs = self.jobs(request, self._stored_run(request))
        return JSONResponse({"total_count": len(jobs), "jobs": jobs})

    async def _cancel(self, request: Request) -> Response:
        with self._api.store.change():
            run = self._stored_run(request)
            if run["status"] == "completed":
                raise GitHubResponseError(409, "Cannot cancel a workflow run that is completed.")
            run |= {"status": "completed", "conclusion": "cancelled"}
            self._api.store.put("run", f"{run['id']:09}", run)
        return JSONResponse({}, 202)

    def _stored_run(self, request: Request) -> dict[str, Any]:
        run = self._api.store.get("run", f"{request.path_params['id']:09}")
        if run is None or run["repository"] != self._api.repository(request):
            raise GitHubResponseError(404, "Not Found")
        return self.current_run(run)

    def current_run(self, run: dict[str, Any]) -> dict[str, Any]:
        """Return the run as it is now: time alone advances those that nobody moves by hand."""
        seconds = self._api.settings.run_seconds
        if seconds is None or run["status"] == "completed":
            return run
        if time.time() < run["at"] + seconds:
            return {**run, "status": "in_progress"}
        return {**run, "status": "completed", "conclusion": "success", **run.get("planned", {})}

    def jobs(self, request: Request, run: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the run's jobs with their steps."""
        return [self._job(request, run, index, job) for index, job in enumerate(run["jobs"])]

    def _shape(self, request: Request, run: dict[str, Any]) -> dict[str, Any]:
        name, number = run["repository"], run["id"]
        at = timestamp(run["at"])
        return {
            "id": number,
            "name": run["workflow_name"],
            "display_title": run["title"],
            "event": "workflow_dispatch",
            "status": run["status"],
            "conclusion": run["conclusion"],
            "head_branch": run["ref"],
            "head_sha": run["sha"],
            "path": f".github/workflows/{run['workflow']}",
            "run_number": number - 90000,
            "run_attempt": 1,
            "actor": user(self._api.settings.login),
            "url": self._api.api_url(request, f"/repos/{name}/actions/runs/{number}"),
            "html_url": self._api.page_url(request, f"/{name}/actions/runs/{number}"),
            "created_at": at,
            "updated_at": at,
            "run_started_at": at,
        }

    def _job(self, request: Request, run: dict[str, Any], index: int, name: str) -> dict[str, Any]:
        failed = run["failed"] or {}
        bad = run["conclusion"] == "failure" and failed.get("job", run["jobs"][0]) == name
        conclusion = "failure" if bad else run["conclusion"]
        number, at = run["id"] * 10 + index, timestamp(run["at"])
        address = self._api.page_url(request, f"/{run['repository']}/actions/runs/{run['id']}")
        step = {
            "name": failed.get("step", "Run") if bad else "Run",
            "number": 2,
            "status": run["status"],
            "conclusion": conclusion,
        }
        first = {"name": "Set up job", "number": 1, "status": "completed", "conclusion": "success"}
        return {
            "id": number,
            "run_id": run["id"],
            "run_url": address,
            "node_id": f"CR_{number}",
            "head_sha": run["sha"],
            "head_branch": run["ref"],
            "url": f"{address}/job/{number}",
            "html_url": f"{address}/job/{number}",
            "status": run["status"],
            "conclusion": conclusion,
            "created_at": at,
            "started_at": at,
            "completed_at": at if run["status"] == "completed" else None,
            "name": name,
            "workflow_name": run["workflow_name"],
            "steps": [first, step],
            "check_run_url": address,
            "labels": ["ubuntu-latest"],
            "runner_id": None,
            "runner_name": None,
            "runner_group_id": None,
            "runner_group_name": None,
        }


def _check_inputs(workflow: dict[Any, Any], inputs: dict[str, Any]) -> dict[str, Any]:
    """Return the inputs with the defaults of those left out; raises if one is not declared."""
    # YAML 1.1 reads the key "on" as true.
    triggers = workflow.get("on", workflow.get(True))
    events = triggers if isinstance(triggers, dict) else dict.fromkeys([triggers])
    if isinstance(triggers, list):
        events = dict.fromkeys(triggers)
    if "workflow_dispatch" not in events:
        raise GitHubResponseError(422, "Workflow does not have 'workflow_dispatch' trigger")
    declared = (events["workflow_dispatch"] or {}).get("inputs") or {}
    unknown = [name for name in inputs if name not in declared]
    if unknown:
        raise GitHubResponseError(422, f"Unexpected inputs provided: {unknown}")
    for name, rule in declared.items():
        if (rule or {}).get("required") and name not in inputs and "default" not in rule:
            raise GitHubResponseError(422, f"Required input '{name}' not provided")
    return {name: (rule or {}).get("default", "") for name, rule in declared.items()} | inputs
