// A template of three `debug:log` steps in Backstage's scaffolder, with its catalog and Postgres.
//
// `node steps.js DATABASE_URL PORT`; for each line of its input it runs the template and writes the
// seconds from the call that starts the task to the first answer that tells its end. The task is
// asked for every 5 ms: the stream of its events looks into the database once a second only.

'use strict';

const { randomBytes } = require('node:crypto');
const { writeFileSync } = require('node:fs');
const { join } = require('node:path');
const readline = require('node:readline');

const [database, port] = process.argv.slice(2);
const say = text => say.write(`${text}\n`);
say.write = process.stdout.write.bind(process.stdout);
// Backstage logs to the standard output, which is for figures here.
process.stdout.write = process.stderr.write.bind(process.stderr);

// Backstage looks for a package around the working directory.
process.chdir(__dirname);

const url = `http://127.0.0.1:${port}`;
const token = randomBytes(24).toString('hex');
const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
const config = join(__dirname, 'app-config.json');

writeFileSync(
  config,
  JSON.stringify({
    app: { baseUrl: url },
    backend: {
      baseUrl: url,
      listen: { host: '127.0.0.1', port: Number(port) },
      database: {
        client: 'pg',
        connection: database,
        pluginDivisionMode: 'schema',
      },
      auth: { externalAccess: [{ type: 'static', options: { token, subject: 'benchmark' } }] },
    },
    catalog: {
      locations: [
        { type: 'file', target: join(__dirname, 'template.yaml'), rules: [{ allow: ['Template'] }] },
      ],
    },
  }),
);
process.argv.push('--config', config);

const pause = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds));

async function call(path, body) {
  const options = body ? { method: 'POST', body: JSON.stringify(body) } : {};
  const answer = await fetch(`${url}/api/${path}`, { headers, ...options });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

async function run() {
  const began = performance.now();
  const { id } = await call('scaffolder/v2/tasks', { templateRef: 'template:default/steps', values: {} });
  for (;;) {
    const { status } = await call(`scaffolder/v2/tasks/${id}`);
    if (status === 'completed') return (performance.now() - began) / 1000;
    if (status === 'failed') throw new Error(`task ${id} has failed`);
    await pause(5);
  }
}

async function main() {
  const { createBackend } = require('@backstage/backend-defaults');
  const backend = createBackend();
  backend.add(import('@backstage/plugin-catalog-backend'));
  backend.add(import('@backstage/plugin-catalog-backend-module-scaffolder-entity-model'));
  backend.add(import('@backstage/plugin-scaffolder-backend'));
  await backend.start();
  for (;;) {
    try {
      await call('catalog/entities/by-name/template/default/steps');
      break;
    } catch {
      await pause(200);
    }
  }
  say('ready');
  for await (const line of readline.createInterface({ input: process.stdin })) {
    void line;
    say(await run());
  }
  process.exit(0);
}

main().catch(error => {
  console.error(error);
  process.exit(1);
});
