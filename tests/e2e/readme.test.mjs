// SPDX-License-Identifier: MIT
//
// What the README tells people to type, typed: its first blocks here, each caller's in the file of that
// caller. The tests' servers and secrets stand in for the services', and nothing else is changed.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { DASHBOARD, MACHINE, API_KEY } from '../servers/fixtures.mjs';
import { closeWorld } from './lib/accounts.mjs';
import { block, blocks } from './lib/readme.mjs';
import { unique } from './lib/small-accounts.mjs';
import { shellOnTerminal } from './lib/terminal.mjs';
import { World } from './lib/world.mjs';

const NAMES = { acme: unique('readme-acme'), sonde: unique('readme-sonde'), dash: unique('readme-dash') };
const PROMPT = /shown\): $/;
let world;
let port;

before(async () => {
  world = await World.create();
  port = await World.freePort();
  await world.control.app({ client_id: DASHBOARD.client_id, redirect_uris: [`http://127.0.0.1:${port}/callback`] });
});
after(() => closeWorld(world));

// The lines of a block as they are typed here.
function linesOf(name, { client_id } = {}) {
  let text = block(name).replaceAll('\\\n', ' ')
    .replaceAll('https://acme.blueconic.net', world.urls.a)
    .replaceAll('--tenant=acme', `--tenant=${world.host('a')} --ca-file=${world.caFile}`)
    .replaceAll('https://api.example.com/', `${world.urls.b}/v1/`)
    .replaceAll('YOUR_CLIENT_ID', client_id)
    .replaceAll(':8765', `:${port}`)
    .replaceAll('curl -H', `curl -sS --cacert ${world.caFile} -H`);
  for (const [name, unused] of Object.entries(NAMES)) text = text.replaceAll(new RegExp(`(?<![\\w.-])${name}(?=[\\s,]|$)`, 'gm'), unused);
  return text.trim().split('\n');
}

const sh = (line, options) => world.exec('sh', ['-c', line], { timeout: 20000, ...options });

async function types(line, answers) {
  const { code, output } = await shellOnTerminal(world, line, answers);
  assert.equal(code, 0, `${line}\n${output}`);
  return output;
}

describe('as the README says', { concurrency: false }, () => {
  test('set up an account', async () => {
    const [acme, sonde] = linesOf('accounts', MACHINE);
    await types(acme, [[PROMPT, `${MACHINE.client_secret}\n`]]);
    await types(`${sonde} --ca-file=${world.caFile}`, [[PROMPT, `${API_KEY}\n`]]);
  });

  test('log in', async () => {
    const [add, login] = linesOf('login', DASHBOARD);
    await types(add, [[PROMPT, `${DASHBOARD.client_secret}\n`]]);
    const { code, stdout, stderr } = await sh(login, { env: world.browser().env });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /logged in/);
  });

  test('use the token', async () => {
    const [header, token] = linesOf('use').map((line) => line.replace('--account=acme', `--account=${NAMES.acme}`));
    assert.match((await sh(header)).stdout, /"segments":/);
    assert.match((await sh(token)).stdout, /^[\x21-\x7e]+\n$/);
  });

  test('by the place that it is for', async () => {
    const [line] = linesOf('protocol');
    assert.match((await sh(line)).stdout, new RegExp(`^password=${API_KEY}$`, 'm'));
  });

  test('see how things stand, and mend them', async () => {
    const [list, show, secret, logout] = linesOf('mend');
    assert.match((await sh(list)).stdout, new RegExp(`^${NAMES.acme} .*valid`, 'm'));
    assert.match((await sh(show)).stdout, /token_endpoint = /);
    await types(secret, [[PROMPT, `${MACHINE.client_secret}\n`]]);
    assert.match((await sh(logout)).stdout, /logged out/);
  });
});

// `make demo` and `make check` are what runs this.
test('every block of the README is run by a test', () => {
  const { marked, unmarked } = blocks();
  assert.deepEqual(unmarked, [], 'blocks without a name');
  const tests = fs.readdirSync(new URL('.', import.meta.url)).filter((name) => name.endsWith('.test.mjs'))
    .map((name) => fs.readFileSync(new URL(name, import.meta.url), 'utf8')).join('\n');
  const unused = marked.filter((name) => name !== 'build' && !tests.includes(`block('${name}')`) && !tests.includes(`linesOf('${name}'`));
  assert.deepEqual(unused, []);
});
