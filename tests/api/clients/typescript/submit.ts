// Submits a request, with the types that openapi-typescript makes of PAO's document.
import type { components, paths } from "./pao";

type Submission = components["schemas"]["Submission"];
type Submit = paths["/api/v1/requests"]["post"];
type Submitted = Submit["responses"][201]["content"]["application/json"];
type Refused = Submit["responses"][422]["content"]["application/json"];

const submission: Submission = {
  catalogItemId: "network-dns-record",
  fields: { hostName: "orders.example.com", address: "10.0.0.8" },
};

function tell(request: Submitted): string {
  const tickets: string[] = request.actions.map((action) => action.externalReference ?? action.status);
  if (request.status === "failed") {
    const suggested = request.errorContext?.suggestedDecision?.decision;
    return `${request.error?.message}: ${suggested}, one of ${request.possibleDecisions.join()}`;
  }
  return `${request.id}: ${tickets.join()}`;
}

export async function submit(send: (path: keyof paths, body: string) => Promise<Response>): Promise<string> {
  const answer = await send("/api/v1/requests", JSON.stringify(submission));
  if (answer.ok) {
    return tell((await answer.json()) as Submitted);
  }
  const { error } = (await answer.json()) as Refused;
  return `${error.code}: ${error.details.map((detail) => `${detail.field} ${detail.message}`).join()}`;
}
