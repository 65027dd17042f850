// Sends one request signed by the npm package aws4 and prints the answer's body.
const aws4 = require("aws4");
const http = require("http");

const [url, accessKeyId, secretAccessKey, region, service, body] = process.argv.slice(2);
const [, hostname, port, path] = url.match(/^http:\/\/([^:/]+):(\d+)(.*)$/);
const request = { hostname, port, path, region, service, headers: { Host: `${hostname}:${port}` } };
if (body) {
  Object.assign(request, { method: "POST", body });
  request.headers["Content-Type"] = "application/json";
}
aws4.sign(request, { accessKeyId, secretAccessKey });
http.request(request, (answer) => answer.pipe(process.stdout)).end(body);
