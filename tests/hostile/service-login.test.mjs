// SPDX-License-Identifier: MIT
//
// The attacker runs an authorization server, or writes an issuer's metadata, and somebody logs in there: what comes back, and
// what a browser and a terminal are given of it.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { altered, Login } from '../e2e/lib/login.mjs';
import { Service } from '../e2e/lib/service.mjs';
import { unique } from '../e2e/lib/small-accounts.mjs';
import { World } from '../e2e/lib/world.mjs';

let [number, world, service] = [0];

before(async () => { [world, service] = await Promise.all([World.create({ servers: false }), Service.start()]); });
after(async () => { service.stop(); await world.close(); });

async function add(extra = {}) {
  number += 1;
  const name = unique(`service-login-${number}`);
  world.account(name, {
    provider: 'oauth2', grant: 'authorization_code', client_auth: 'none', client_id: 'made-up', match: 'https://api.example.com/',
    authorization_endpoint: `${service.origin}/auth`, token_endpoint: `${service.origin}/token`, ...extra,
  });
  return name;
}

describe('an answer of another service (mix-up, RFC 9700 section 4.4)', () => {
  const foreign = ['https://honest.example', 'https://127.0.0.1', 'http://127.0.0.1:1', 'nonsense', ''];
  test('is refused where the account knows no issuer: the code and the verifier stay here', async () => {
    const name = await add();
    for (const iss of [...foreign, `${service.origin}.attacker.test`, `${service.origin}/?x`, `http://x@${new URL(service.origin).host}`]) {
      const { code, stderr, page } = await Login.complete(world, name, { change: altered({ iss }) });
      assert.equal(code, 6, `${iss}: ${stderr}`);
      assert.match(stderr, /another service/);
      assert.match(page.body, /did not work/);
    }
    assert.deepEqual(service.forms('/token'), []);
    for (const iss of [service.origin, `${service.origin}/any`]) assert.equal((await Login.complete(world, name, { change: altered({ iss }) })).code, 0);
  });

  test('is refused before its error is believed or shown', async () => {
    const name = await add();
    const { code, stderr, page } = await Login.complete(world, name, { change: altered({ code: null, error: 'access_denied', error_description: 'call 555-0100', iss: foreign[0] }) });
    assert.equal(code, 6);
    assert.match(stderr, /another service \(https:\/\/honest\.example\)/);
    assert.doesNotMatch(stderr, /555-0100|access_denied|consent/);
    assert.doesNotMatch(page.body, /not granted/);
  });

  test('comes to an address of its own account', async () => {
    const name = await add();
    const { parameters } = await Login.complete(world, name);
    assert.equal(new URL(parameters.redirect_uri).pathname, `/callback/${name}`);
  });

  test('and brought to another account\'s, it ends the login, and nothing of it is believed', async () => {
    const name = await add();
    for (const path of ['/callback', '/callback/other']) {
      const { code, stderr } = await Login.during(world, name, async (login) => {
        assert.equal((await login.get({ code: 'code', state: 'another' }, { path })).status, 404);
        assert.equal((await login.get({ code: 'code', state: login.parameters.state }, { path: '/elsewhere' })).status, 404);
        assert.ok(login.waits);
        const { status } = await login.get({ error: 'access_denied', error_description: 'call 555-0100', state: login.parameters.state }, { path });
        assert.equal(status, 400);
        return login.end();
      });
      assert.equal(code, 6, stderr);
      assert.match(stderr, /came back to another address than this login's/);
      assert.doesNotMatch(stderr, /555-0100/);
    }
  });
});

describe('an address with more in it than addresses have', () => {
  const tricks = { blanks: ' --new-window', quotes: '"\'`', 'a command': '`id`|<x>', 'an escape': '\u001b]0;t\u0007', 'a header': '\r\nSet-Cookie: a=b', 'a fragment': '#x', 'other letters': '\u202ex' };
  test('from metadata: it reaches no browser, no terminal and no header', async () => {
    const report = `${world.dir}/opened`;
    const file = `${world.dir}/bin/reporter`;
    fs.writeFileSync(file, `#!/bin/sh\nprintf '%s\\n' "$@" >>${report}\n`, { mode: 0o700 });
    for (const [what, trick] of Object.entries(tricks)) {
      service.metadata = { authorization_endpoint: `${service.origin}/auth?x=${trick}` };
      const issuer = `${service.origin}/${encodeURIComponent(what)}`;
      service.routes[`/.well-known/oauth-authorization-server/${encodeURIComponent(what)}`] = (request, response) => response.end(JSON.stringify({ ...service.document(), issuer }));
      const name = await add({ issuer, authorization_endpoint: [], token_endpoint: [] });
      const { code, stderr } = await world.run(['login', name], { env: { BROWSER: file }, timeout: 10000 });
      assert.equal(code, 7, `${what}: ${stderr}`);
      assert.doesNotMatch(stderr, /Open this|Your browser/, what);
      assert.ok(!stderr.includes(trick), what);
    }
    assert.equal(fs.existsSync(report), false);
  });
});

describe('a name of who has logged in', () => {
  const idToken = (claims) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`;
  const tokens = (more) => { service.routes['/token'] = (request, response) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ access_token: 'made-up', token_type: 'Bearer', expires_in: 60, refresh_token: 'made-up-too', ...more })); };
  const complete = (name, more) => { tokens(more); return Login.complete(world, name); };

  test('is said in the terminal and on the page, so that an account of somebody else\'s is seen', async () => {
    const name = await add();
    for (const [more, who] of [
      [{ id_token: idToken({ sub: '17', email: 'operator@example.com' }) }, 'operator@example.com'],
      [{ id_token: idToken({ sub: '17', preferred_username: 'operator <b>' }) }, 'operator <b>'],
      [{ id_token: idToken({ sub: '17' }) }, '17'],
      [{ username: 'Žofie' }, 'Žofie'],
    ]) {
      const { stdout, stderr, page } = await complete(name, more);
      assert.match(stdout, new RegExp(`^${name}: logged in as ${who}, valid for `), stderr);
      assert.ok(page.body.includes(`the service says that you are ${who.replace('<b>', '&lt;b&gt;')}. You can close`), page.body);
    }
  });

  test('is left out if it is no name, or none that shows', async () => {
    const name = await add();
    const odd = ['a\u001b[31mb', 'a\u202eb', 'a\r\nSet-Cookie: x', 'x'.repeat(128), 17, {}, null, ''].map((email) => idToken({ email }));
    for (const id_token of [...odd, 'a', 'a.b', '..', `a.${'A'.repeat(70000)}.c`, 'a.*.c', 'a.W10.c', 17, { a: 1 }]) {
      const { code, stdout, stderr } = await complete(name, { id_token });
      assert.equal(code, 0, stderr);
      assert.match(stdout, new RegExp(`^${name}: logged in, valid for `), JSON.stringify(id_token));
    }
    delete service.routes['/token'];
  });
});

describe('an account that has gone while its login was under way', () => {
  test('keeps nothing: the refresh token is given back', async () => {
    const name = await add({ revocation_endpoint: `${service.origin}/revoke` });
    await Login.during(world, name, async (login) => {
      const location = await login.consent();
      await world.must(['remove', name]);
      const { page } = await login.arrive(location);
      const { code, stdout, stderr } = await login.end();
      assert.deepEqual([code, stdout], [1, ''], stderr);
      assert.match(stderr, /the account was removed while the login was under way, and nothing of the login was kept; /);
      assert.match(page.body, /did not work/);
    });
    const { stdout } = await world.exec('secret-tool', ['search', '--all', 'account', name]);
    assert.equal(stdout, '');
    assert.match(service.forms('/revoke').at(-1).token, /^refresh-/);
  });

  test('or is another one by then', async () => {
    const name = await add();
    await Login.during(world, name, async (login) => {
      const location = await login.consent();
      await world.must(['remove', name]);
      world.account(name, { provider: 'oauth2', grant: 'authorization_code', client_auth: 'none', client_id: 'another', match: 'https://api.example.com/', authorization_endpoint: `${service.origin}/auth`, token_endpoint: `${service.origin}/token` });
      await login.arrive(location);
      const { code, stderr } = await login.end();
      assert.equal(code, 7, stderr);
      assert.match(stderr, /was changed while the login was under way.*`ringbearer login /);
    });
    assert.equal((await world.exec('secret-tool', ['search', '--all', 'account', name])).stdout, '');
  });
});
