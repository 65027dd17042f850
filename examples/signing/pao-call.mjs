// Call PAO with AWS credentials: node pao-call.mjs METHOD PATH [BODY]
import { createRequire } from "node:module";
import { createHash, randomBytes } from "node:crypto";

// Finds packages by NODE_PATH as well.
const require = createRequire(import.meta.url);
const { SignatureV4 } = require("@smithy/signature-v4");
const { Sha256 } = require("@aws-crypto/sha256-js");

const [method, target, body = ""] = process.argv.slice(2);
const url = process.env.PAO_URL.replace(/\/$/, "");
const region = process.env.PAO_REGION ?? "us-east-1";
const serverId = process.env.PAO_SERVER_ID ?? url;
const sts = new URL(process.env.PAO_STS_URL ?? `https://sts.${region}.amazonaws.com`);

const sha256 = (text) => createHash("sha256").update(text).digest("hex");
const [path, query = ""] = target.split(/\?(.*)/s);
const nonce = randomBytes(24).toString("base64url");

const environment = process.env.AWS_ACCESS_KEY_ID && {
  accessKeyId: process.env.AWS_ACCESS_KEY_ID,
  secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY,
  sessionToken: process.env.AWS_SESSION_TOKEN,
};
const credentials =
  environment || (await require("@aws-sdk/credential-providers").fromNodeProviderChain()());

// Without a header for the hash of the body: exactly the headers below are signed.
const settings = { service: "sts", region, credentials, sha256: Sha256, applyChecksum: false };
const { headers } = await new SignatureV4(settings).sign({
  method: "POST",
  protocol: sts.protocol,
  hostname: sts.hostname,
  path: "/",
  body: "Action=GetCallerIdentity&Version=2011-06-15",
  headers: {
    accept: "application/json",
    "content-type": "application/x-www-form-urlencoded; charset=utf-8",
    host: sts.host,
    "x-pao-nonce": nonce,
    "x-pao-request-sha256": sha256([method, path, query, sha256(body)].join("\n")),
    "x-pao-server-id": serverId,
  },
});

const values = { authorization: headers.authorization, date: headers["x-amz-date"], nonce };
if (credentials.sessionToken) values.token = credentials.sessionToken;

const answer = await fetch(url + target, {
  method,
  headers: {
    "x-pao-sts": Buffer.from(JSON.stringify(values)).toString("base64url"),
    "content-type": "application/json",
  },
  body: body || undefined,
});
console.log(await answer.text());
