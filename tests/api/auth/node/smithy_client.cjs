// Sends one request signed by the npm package @smithy/signature-v4 and prints the answer's body.
const { SignatureV4 } = require("@smithy/signature-v4");
const { Sha256 } = require("@aws-crypto/sha256-js");
const http = require("http");

const [url, accessKeyId, secretAccessKey, region, service, body, mode] = process.argv.slice(2);
const target = new URL(url);
const query = {};
for (const [name, value] of target.searchParams) {
  query[name] = name in query ? [].concat(query[name], value) : value;
}
const request = {
  method: body ? "POST" : "GET",
  protocol: "http:",
  hostname: target.hostname,
  port: Number(target.port),
  path: target.pathname,
  query,
  headers: { host: target.host, ...(body ? { "content-type": "application/json" } : {}) },
  body: body || undefined,
};
const credentials = { accessKeyId, secretAccessKey };
const signer = new SignatureV4({ service, region, credentials, sha256: Sha256 });

const escaped = (text) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => "%" + c.charCodeAt(0).toString(16));
const written = (pairs) =>
  Object.entries(pairs)
    .flatMap(([name, values]) => [].concat(values).map((v) => `${escaped(name)}=${escaped(v)}`))
    .join("&");

async function main() {
  const signed = await (mode === "presign"
    ? signer.presign(request, { expiresIn: 60 })
    : signer.sign(request));
  const line = written(signed.query || {});
  const { method, headers, hostname, port } = signed;
  const path = signed.path + (line ? `?${line}` : "");
  const sent = http.request({ method, headers, hostname, port, path }, (answer) =>
    answer.pipe(process.stdout),
  );
  sent.end(body || undefined);
}

main();
