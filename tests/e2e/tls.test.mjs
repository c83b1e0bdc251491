// SPDX-License-Identifier: MIT
//
// Where a secret may go: to a server with a certificate that is trusted, over the route that the
// account and the environment may choose, and nowhere else.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { accountFile, addGeneric, afresh, edit } from './lib/accounts.mjs';
import { TOKEN_PATH } from './lib/flows.mjs';
import { connectProxy } from './lib/loopback.mjs';
import { oneAccount } from './lib/one-account.mjs';
import { ask, assertRefused, assertToken, refused } from './lib/outcome.mjs';
import { unique } from './lib/small-accounts.mjs';
import { World } from './lib/world.mjs';

const NAME = unique('tls');
let world;
let control;

const asked = () => control.count('client_credentials');

oneAccount(NAME, (made) => { world = made; control = made.control; });

describe('certificates', () => {
  const tls = { exit: 7, error: 'tls', says: [/certificate/, /`ca_file`/] };
  const servers = { 'another authority': 'a-rogue', 'expired': 'a-expired', 'for another host': 'a-wronghost' };
  for (const [what, listener] of Object.entries(servers)) {
    test(what, async () => {
      await addGeneric(world, `${NAME}-${listener}`, { listener });
      await refused(world, `${NAME}-${listener}`, tls);
      assert.equal(await asked(), 0);
    });
  }

  test('the test authority is not one of the system\'s', async () => {
    await addGeneric(world, `${NAME}-system`, { ca_file: undefined });
    await refused(world, `${NAME}-system`, tls);
    assert.equal(await asked(), 0);
  });

  test('a ca_file that is not there', async () => {
    await addGeneric(world, `${NAME}-nowhere`, { ca_file: '/nonexistent/ca.pem' });
    await refused(world, `${NAME}-nowhere`, { ...tls, says: [/: `ca_file`: \/nonexistent\/ca\.pem cannot be read \(No such file or directory\);/] });
    const empty = path.join(world.dir, 'empty.pem');
    fs.writeFileSync(empty, '');
    await addGeneric(world, `${NAME}-empty`, { ca_file: empty });
    await refused(world, `${NAME}-empty`, { ...tls, says: [/: `ca_file`: \/\S+\/empty\.pem has no certificate that can be read;/] });
    assert.equal(await asked(), 0);
  });

  test('keys of a connection are not logged for anybody', async () => {
    const log = path.join(world.dir, 'keys.log');
    assertToken(await ask(world, NAME, {}, { env: { SSLKEYLOGFILE: log } }));
    assert.equal(await asked(), 1);
    assert.equal(fs.existsSync(log), false);
  });
});

describe('endpoints that are not taken', () => {
  const wrong = {
    'http to a name': ['http://localhost:1/token', /must be https/],
    'http to another host': ['http://auth.example/token', /must be https/],
    'http to a name that begins like loopback': ['http://127.0.0.1.example/token', /must be https/],
    'http to loopback as one number': ['http://2130706433/token', /must be https/],
    'http to what only looks like loopback': ['http://127.0.-0.1/token', /must be https/],
    'http to any address': ['http://0.0.0.0/token', /must be https/],
    'http to loopback with something before it': ['http://127.0.0.1@auth.example/token', /must not hold a user name/],
    'a user name': ['https://someone@127.0.0.1/token', /must not hold a user name/],
    'a user name and a password': ['https://someone:not-a-secret-password@127.0.0.1/token', /must not hold a user name/],
    'a fragment': ['https://127.0.0.1/token#part', /fragment/],
    'another scheme': ['ftp://127.0.0.1/token', /must be https/],
    'a file': ['file:///etc/hosts', /must be https/],
    'no URL at all': ['127.0.0.1/token', /no URL/],
  };
  for (const [index, [what, [token_endpoint, says]]] of Object.entries(wrong).entries()) {
    test(what, async () => {
      const name = `${NAME}-endpoint-${index}`;
      const options = { provider: 'oauth2', grant: 'client_credentials', client_id: 'x', token_endpoint, match: 'https://api.example/' };
      const flags = Object.entries(options).map(([key, value]) => `--${key.replace('_', '-')}=${value}`);
      const added = await world.run(['add', name, ...flags, '--secret-stdin'], { input: 'not-a-secret' });
      assert.deepEqual([added.code, added.stdout, fs.existsSync(accountFile(world, name))], [7, '', false]);
      assert.match(added.stderr, says);
      assert.doesNotMatch(added.stderr, /not-a-secret/);
      world.account(name, options);
      await refused(world, name, { exit: 7, error: 'config', says, hides: /not-a-secret/ });
    });
  }

  test('http to a loopback literal is taken', async () => {
    await addGeneric(world, `${NAME}-plain`, { listener: 'a-plain' });
    assertToken(await ask(world, `${NAME}-plain`));
    assert.equal(await asked(), 1);
  });

  test('the query of an endpoint is kept', async () => {
    await addGeneric(world, `${NAME}-query`, { token_endpoint: `${world.urls.a}${TOKEN_PATH.a}?tenant=7` });
    assertToken(await ask(world, `${NAME}-query`));
    assert.equal((await control.log())[0].url, `${TOKEN_PATH.a}?tenant=7`);
  });

  test('a .netrc is not looked at', async () => {
    fs.writeFileSync(path.join(world.env.HOME, '.netrc'), 'default login someone password not-a-secret\n', { mode: 0o600 });
    assertToken(await ask(world, NAME));
    assert.equal((await control.log())[0].authorization, undefined);
  });
});

describe('proxies', () => {
  let proxy;
  before(async () => { proxy = await connectProxy(); });
  after(() => proxy.close());
  beforeEach(() => { proxy.seen.length = 0; });

  const goes = async (name, env, expected) => {
    await afresh(world, name);
    assertToken(await ask(world, name, {}, { env }), JSON.stringify(env));
    assert.deepEqual(proxy.seen, expected ? [world.host('a')] : [], JSON.stringify(env));
    assert.equal(await asked(), 1);
  };

  for (const variable of ['https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY']) {
    test(`$${variable} counts`, () => goes(NAME, { [variable]: proxy.url }, true));
  }
  test('$no_proxy counts', () => goes(NAME, { https_proxy: proxy.url, no_proxy: '127.0.0.1' }, false));

  test('proxy = none, and proxy = URL, in the account', async () => {
    await addGeneric(world, `${NAME}-proxy`, { proxy: 'none' });
    await goes(`${NAME}-proxy`, { https_proxy: proxy.url }, false);
    edit(world, `${NAME}-proxy`, 'proxy', proxy.url);
    await control.reset();
    await goes(`${NAME}-proxy`, {}, true);
  });

  test('a proxy that is not there is a network failure', async () => {
    const env = { https_proxy: `http://127.0.0.1:${await World.freePort()}` };
    await addGeneric(world, `${NAME}-no-proxy`, { timeout: '2' });
    assertRefused(await ask(world, `${NAME}-no-proxy`, {}, { env }), { exit: 5, error: 'network' });
    assert.equal(await asked(), 0);
  });

  test('plain http to loopback stays on this machine, whatever proxy there is', async () => {
    await addGeneric(world, `${NAME}-loopback`, { listener: 'a-plain' });
    await goes(`${NAME}-loopback`, { http_proxy: proxy.url, all_proxy: proxy.url }, false);
    edit(world, `${NAME}-loopback`, 'proxy', proxy.url);
    await control.reset();
    await goes(`${NAME}-loopback`, {}, false);
  });
});

describe('ip_version', () => {
  const addresses = { 4: '127.0.0.1', 6: '::1' };
  for (const [ip_version, address] of Object.entries(addresses)) {
    test(`S1:62 IPv${ip_version}`, async (context) => {
      if (!world.urls.a6) return context.skip('there is no ::1 here');
      const token_endpoint = `https://localhost:${new URL(world.urls.a).port}${TOKEN_PATH.a}`;
      const name = `${NAME}-ip-${ip_version}`; // libcurl knows both addresses of `localhost` by itself
      await addGeneric(world, name, { token_endpoint, ip_version });
      assertToken(await ask(world, name));
      assert.equal((await control.log())[0].ip, address);
      return undefined;
    });
  }
});
