// SPDX-License-Identifier: MIT
//
// The attacker has a page open in the person's browser while a login waits: it can send requests to any port of this machine,
// though it cannot read what is answered. None of them ends the login or reaches into the process.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { missing, openWindow } from '../e2e/lib/chromium.mjs';
import { Login } from '../e2e/lib/login.mjs';
import { robot, Service } from '../e2e/lib/service.mjs';
import { unique } from '../e2e/lib/small-accounts.mjs';
import { World } from '../e2e/lib/world.mjs';

const HEAD_MAX = 8192;
let [world, service, name] = [];

before(async () => {
  [world, service] = await Promise.all([World.create({ servers: false }), Service.start()]);
  service.routes['/page'] = (request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<!DOCTYPE html><title>page</title>');
  name = unique('web-page');
  await world.add(name, {
    provider: 'oauth2', grant: 'authorization_code', client_auth: 'none', client_id: 'made-up',
    authorization_endpoint: `${service.origin}/auth`, token_endpoint: `${service.origin}/token`, match: 'https://api.example.com/',
  });
});
after(async () => { service.stop(); await world.close(); });

// It waits all the same, and the right one gets in.
async function goesOn(login) {
  assert.ok(login.waits, `it died: ${JSON.stringify(login.over)} ${login.stderr}`);
  const { page } = await login.arrive(await login.consent());
  assert.match(page.body, /You are logged in/);
  assert.equal((await login.end()).code, 0);
}

// Queries that make a reader write more than it reads, or read past what is there.
const queries = (size) => ['&', 'a&', '=&', 'a=&', '%41&', '+&', 'code&', '%', '%4', 'error_description=&'].map((piece) => piece.repeat(Math.ceil(size / piece.length)).slice(0, size));

test('queries of nothing but separators, of every length up to the limit and past it', () => Login.during(world, name, async (login) => {
  const rest = `GET ${login.redirect.pathname}? HTTP/1.1\r\nHost: ${login.redirect.host}\r\n\r\n`.length;
  for (const size of [100, 4000, HEAD_MAX / 2, HEAD_MAX - rest - 2, HEAD_MAX - rest - 1, HEAD_MAX - rest, 3 * HEAD_MAX]) {
    for (const query of queries(size)) {
      const answer = await login.send(`GET ${login.redirect.pathname}?${query} HTTP/1.1\r\nHost: ${login.redirect.host}\r\n\r\n`);
      assert.ok(answer.status === 400 || answer.failed, `${query.slice(0, 20)}… of ${size}: ${answer.status}`);
      assert.ok(login.waits, `${query.slice(0, 20)}… of ${size}: ${login.stderr}`);
    }
  }
  await goesOn(login);
}));

describe('in Chromium', { skip: missing }, () => {
  test('a page sends what it can to the waiting login', async () => {
    const window = await openWindow(world);
    try {
      await window.page.goto(`${service.origin}/page`);
      await Login.during(world, name, async (login) => {
        const sent = await window.page.evaluate(async ({ url, all }) => {
          const kinds = await Promise.all(all.map((query) => fetch(`${url}?${query}`, { mode: 'no-cors' }).then(({ type }) => type, () => 'failed')));
          const posts = await Promise.all(all.map((body) => fetch(url, { mode: 'no-cors', method: 'POST', body }).then(({ type }) => type, () => 'failed')));
          const image = new Image();
          await new Promise((resolve) => { image.onerror = resolve; image.src = `${url}?error=access_denied&state=guessed`; });
          return [...kinds, ...posts];
        }, { url: login.redirect.href, all: queries(6000) });
        assert.ok(sent.includes('opaque'), 'they arrive');
        await goesOn(login);
      });
    } finally {
      await window.context.close();
    }
  });

  test('a page finds nothing of a login that a browser was opened for', async () => {
    const window = await openWindow(world);
    const env = robot(world);
    const told = [];
    service.routes['/auth'] = (request, response) => { told.push(request.url); response.end(); }; // the person is still reading
    try {
      await window.page.goto(`${service.origin}/page`);
      await Login.during(world, name, async (login) => {
        const { port } = new URL(login.url);
        const kinds = await window.page.evaluate((origin) => Promise.all(['/start/', '/start', '/callback', '/done', '/'].map((path) => fetch(origin + path).then(() => 'read', () => 'not read'))), `http://127.0.0.1:${port}`);
        assert.deepEqual([...new Set(kinds)], ['not read']);
        assert.ok(login.waits);
      }, { args: [], env });
      assert.equal(told.length, 1, 'and the browser has set out once');
    } finally {
      delete service.routes['/auth'];
      await window.context.close();
    }
  });
});
