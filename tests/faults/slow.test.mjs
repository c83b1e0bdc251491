// SPDX-License-Identifier: MIT
//
// Services that are slow, silent, or dribble. Nothing but the account's `timeout` ends a request that has left; what it
// ends is said to be uncertain, and where the account sets none, an answer that cannot be asked for again may take longer than a
// whole call. The sample is quick; FAULT_RUNS=all waits longer than libcurl's own patience (22 s) and a call's (30 s).

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { closeWorld } from '../e2e/lib/accounts.mjs';
import { formServer, reply } from '../e2e/lib/loopback.mjs';
import { unique } from '../e2e/lib/small-accounts.mjs';
import { World } from '../e2e/lib/world.mjs';

const EVERY = process.env.FAULT_RUNS === 'all';
const PAUSE = EVERY ? 33000 : 1500;
const TIMEOUT = EVERY ? {} : { timeout: '20' };

let world;
let service;
let counter = 0;
const current = {}; // the refresh token that each account's service takes

const later = (ms) => new Promise((resolve) => { setTimeout(resolve, ms).unref(); });

function rotate(name, { refresh_token: sent }) {
  if (sent !== undefined && sent !== current[name]) return [400, { error: 'invalid_grant' }];
  counter += 1;
  current[name] = `made-up-refresh-${counter}`;
  return [200, { access_token: `made-up-${counter}`, token_type: 'Bearer', expires_in: 3600, refresh_token: current[name] }];
}

// How an answer comes.
const manners = {
  silent: async (response, status, body) => {
    await later(PAUSE);
    reply(response, status, body);
  },
  slow: async (response, status, body) => {
    const text = JSON.stringify(body);
    response.writeHead(status, { 'content-type': 'application/json', 'content-length': text.length });
    response.write(text.slice(0, 5));
    await later(PAUSE);
    response.end(text.slice(5));
  },
  dribbling: async (response, status, body) => {
    const text = JSON.stringify(body);
    response.writeHead(status, { 'content-type': 'application/json' });
    for (const letter of text) {
      response.write(letter);
      await later(PAUSE / text.length);
    }
    response.end();
  },
  // Says all of it, and that more will come.
  endless: async (response, status, body) => {
    const text = JSON.stringify(body);
    response.writeHead(status, { 'content-type': 'application/json', 'content-length': text.length + 1 });
    response.write(text);
  },
};

before(async () => {
  world = await World.create({ servers: false });
  service = await formServer((path, form, response) => {
    const [, manner, name, what] = path.split('/');
    const come = manners[manner] ?? ((to, ...answer) => reply(to, ...answer));
    if (manner === 'never') return;
    if (what === 'device') reply(response, 200, { device_code: 'd', user_code: 'ABCD', verification_uri: 'https://example.com/', interval: 1, expires_in: 600 });
    else if (what === 'revoke') come(response, 200, {});
    else if (what === 'token') come(response, ...rotate(name, form));
    else come(response, 200, { issuer: `${service.url}/${manner}/${name}`, token_endpoint: `${service.url}/quick/${name}/token` });
  });
});
after(async () => {
  service.close();
  await closeWorld(world);
});

async function standing(manner, extra = {}) {
  counter += 1;
  const name = unique(`slow-${counter}`);
  const at = `${service.url}/${manner}/${name}`;
  world.account(name, {
    provider: 'oauth2', grant: 'device_code', client_id: 'made-up', client_auth: 'none', ...TIMEOUT,
    ...(extra.issuer === undefined ? { token_endpoint: `${at}/token`, device_authorization_endpoint: `${at}/device`, revocation_endpoint: `${at}/revoke`, ...extra } : { timeout: '60', issuer: at }),
  });
  current[name] = 'made-up-refresh-0';
  const { code, stderr } = await world.request({ account: name, refresh_token: current[name] }, { verb: 'store' });
  assert.equal(code, 0, stderr);
  return name;
}

describe('what is slow is waited for', { concurrency: true }, () => {
  for (const manner of Object.keys(manners)) {
    test(`${manner}: a rotation, whose next token is kept`, async () => {
      const name = await standing(manner);
      const { code, stderr } = await world.run(['token', name]);
      assert.equal(code, 0, stderr);
      await world.request({ account: name }, { verb: 'erase' });
      assert.equal((await world.run(['token', name])).code, 0, 'the next one works');
    });

    test(`${manner}: a device login`, async () => {
      const name = await standing(manner);
      const { code, stderr } = await world.run(['login', name]);
      assert.equal(code, 0, stderr);
    });

    test(`${manner}: a revocation`, async () => {
      const name = await standing(manner, { timeout: '60' });
      const { code, stderr } = await world.run(['logout', name]);
      assert.deepEqual([code, stderr], [0, '']);
    });

    test(`${manner}: metadata`, async () => {
      const name = await standing(manner, { issuer: '' });
      const { code, stderr } = await world.run(['token', name]);
      assert.equal(code, 0, stderr);
    });
  }
});

describe('what the timeout ends', { concurrency: true }, () => {
  test('a rotation: what is uncertain, and what to do, is said; the token is kept and works where the server did nothing', async () => {
    const name = await standing('never', { timeout: '1' });
    const { code, stderr } = await world.run(['token', name]);
    assert.equal(code, 5, stderr);
    assert.match(stderr, /did not answer in time \(`timeout`\), and the refresh token may have been used up; raise `timeout`/);
    assert.match(stderr, new RegExp(`ringbearer refresh ${name}.*ringbearer login ${name}`));
    world.account(name, { provider: 'oauth2', grant: 'device_code', client_id: 'made-up', client_auth: 'none', token_endpoint: `${service.url}/never/${name}/token`, timeout: '2', refresh_retry: 'never' });
    assert.equal((await world.run(['token', name])).code, 5, 'not sent again by itself');
    assert.equal(service.seen.filter(({ path }) => path.includes(name)).length, 1);
  });

  test('a request that uses nothing up: the server has it, and gave no answer', async () => {
    const name = unique('slow-machine');
    await world.add(name, { provider: 'oauth2', grant: 'client_credentials', client_id: 'made-up', token_endpoint: `${service.url}/never/${name}/token`, timeout: '1' }, 'made-up-secret');
    const { code, stderr } = await world.run(['token', name]);
    assert.equal(code, 5, stderr);
    assert.match(stderr, /has the request and gave no whole answer in 1 s; raise `timeout`/);
  });
});
