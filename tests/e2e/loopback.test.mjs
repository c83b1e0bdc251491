// SPDX-License-Identifier: MIT
//
// The listener that a browser comes back to: what it answers, to whom, and what does not disturb it.
// Each test sends it what others on this machine might, and then logs in all the same. What the pages
// look like inside: pages.test.mjs.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { closeWorld } from './lib/accounts.mjs';
import { addPublic, DEVICES, seen, tokenOf } from './lib/login-accounts.mjs';
import { exchangeBytes, Login } from './lib/login.mjs';
import { unique } from './lib/small-accounts.mjs';
import { hasIPv6, listenersOf } from './lib/sockets.mjs';
import { World } from './lib/world.mjs';

const NAME = unique('loopback');
const HEAD_MAX = 8192;
const needsIPv6 = { skip: !hasIPv6 && 'this machine has no IPv6' };
let world;

before(async () => {
  world = await World.create();
  await addPublic(world, NAME);
});
after(() => closeWorld(world));
beforeEach(() => world.control.reset());

// Whatever came before, the right one gets in.
async function finish(login) {
  assert.ok(login.waits, `it goes on waiting: ${login.stderr}`);
  const { first, page } = await login.arrive(await login.consent());
  assert.deepEqual([first.status, page.status], [303, 200]);
  const { code, stderr } = await login.end();
  assert.equal(code, 0, stderr);
  assert.equal(await world.control.count('authorization_code', 'b'), 1);
}

const withLogin = (body, account = NAME) => Login.during(world, account, body);

const duringLogin = (body, account) => withLogin(async (login) => {
  await body(login);
  await finish(login);
}, account);

const right = (login) => ({ code: 'code', state: login.parameters.state });
const refuses = async (login, status, query, options) => assert.equal((await login.get(query, options)).status, status, JSON.stringify([query, options]));

describe('what is wrong is refused and forgotten', () => {
  test('S0:27 another path', () => duringLogin(async (login) => {
    for (const path of ['/', '/callback/', '/callbac', '/callbackx', '/Callback', '//callback', '/%63allback', '/x/../callback', '/favicon.ico', '*', '']) {
      await refuses(login, 404, right(login), { path });
    }
  }));

  test('another Host, two of them, or none: names that were pointed to this machine', () => duringLogin(async (login) => {
    const { port } = login;
    const names = [`attacker.test:${port}`, 'attacker.test', '127.0.0.1', `127.0.0.1:${port - 1}`, `127.0.0.1:${port}0`, `localhost:${port}`,
      `[::1]:${port}`, `127.0.0.1.attacker.test:${port}`, `127.0.0.1:${port}@attacker.test`, `x127.0.0.1:${port}`, '', null];
    for (const host of names) await refuses(login, 400, right(login), { host });
    await refuses(login, 400, right(login), { headers: [`Host: ${login.redirect.host}`] });
    await refuses(login, 400, right(login), { headers: ['Host: attacker.test'] });
    await refuses(login, 400, right(login), { host: 'attacker.test', headers: [`Host: ${login.redirect.host}`] });
  }));

  test('another method', () => duringLogin(async (login) => {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD', 'TRACE', 'get']) {
      const answer = await login.get(right(login), { method });
      assert.deepEqual([answer.status, answer.headers.allow], [405, 'GET'], method);
    }
    const form = `code=x&state=${login.parameters.state}`;
    const head = `POST /callback HTTP/1.1\r\nHost: ${login.redirect.host}\r\nContent-Length: ${form.length}\r\n\r\n`;
    assert.equal((await login.send(head + form)).status, 405);
  }));

  test('what is no HTTP/1 request', () => duringLogin(async (login) => {
    const host = `Host: ${login.redirect.host}\r\n\r\n`;
    const target = `/callback?code=x&state=${login.parameters.state}`;
    for (const line of [`GET ${target} HTTP/2.0`, `GET ${target}`, `GET  ${target} HTTP/1.1`, `GET\t${target} HTTP/1.1`, `${target} HTTP/1.1`]) {
      const { status } = await login.send(`${line}\r\n${host}`);
      assert.ok(status === 400 || status === 405, `${line}: ${status}`);
      assert.ok(login.waits, line);
    }
  }));

  test('a head of more than 8 KiB, a NUL in it', () => duringLogin(async (login) => {
    const head = `GET /callback?${new URLSearchParams(right(login))} HTTP/1.1\r\nHost: ${login.redirect.host}\r\nX: `;
    for (const size of [HEAD_MAX, HEAD_MAX + 1, 3 * HEAD_MAX]) {
      const answer = await login.send(`${head}${'x'.repeat(size - head.length - 4)}\r\n\r\n`);
      assert.ok(answer.status === 400 || answer.failed, `${size}: ${answer.status}`);
      assert.ok(login.waits, String(size));
    }
    assert.equal((await login.send(`${head}\0\r\n\r\n`)).status, 400);
  }));

  test('S0:27 a parameter twice, a broken escape, a control character', () => duringLogin(async (login) => {
    const { state } = login.parameters;
    const queries = ['code=a&code=b', 'code=a&code=a', `code=a&state=${state}`, 'code=a&error=b&error=b', 'code=a&iss=b&iss=b', 'code=a&%63ode=a',
      'error=a&error_description=b&error_description=c', 'code=%', 'code=%0', 'code=%zz', 'code=a&x=%g0'];
    for (const query of queries) {
      const { status } = await login.get(undefined, { path: `/callback?${query}&state=${state}` });
      assert.equal(status, 400, query);
    }
    for (const more of ['%00', '%0a', '%0d%0aX: 1', '%7f', '+']) {
      assert.equal((await login.get(undefined, { path: `/callback?code=a&state=${state}${more.replace(' ', '+')}` })).status, 400, more);
    }
  }));

  test('S0:27 another state, none, and neither code nor error', () => duringLogin(async (login) => {
    const { state } = login.parameters;
    const states = ['guessed', '', state.slice(1), state.slice(0, -1), `${state}x`, ` ${state}`, state.toLowerCase(), `${state.slice(0, -1)}\u00e9`];
    for (const wrong of states) await refuses(login, 400, { code: 'x', state: wrong });
    for (const query of [undefined, {}, { code: 'x' }, { error: 'access_denied' }, { error: 'access_denied', state: 'x' }, { state }]) {
      await refuses(login, 400, query);
    }
  }));
});

test('[::1] alone, where there is no IPv4 loopback', async (t) => {
  const alone = ['unshare', '-n', 'sh', '-c', 'ip link set lo up && ip addr del 127.0.0.1/8 dev lo && exec "$@"', 'sh'];
  const works = await world.exec(alone[0], [...alone.slice(1), 'test', '-r', '/proc/net/if_inet6']).catch(() => ({ code: 1 }));
  if (works.code !== 0) return t.skip('no network can be made here');
  const name = unique('loopback-six');
  await addPublic(world, name, { redirect_uri: undefined });
  return Login.during(world, name, async (login) => {
    assert.match(login.parameters.redirect_uri, new RegExp(`^http://\\[::1\\]:\\d+/callback/${name}$`));
  }, { under: alone });
});

describe('who says little or much', () => {
  test('twenty silent connections do not keep the right one out', () => withLogin(async (login) => {
    const sockets = Array.from({ length: 20 }, () => net.connect(login.address).on('error', () => {}));
    await Promise.all(sockets.map((socket) => new Promise((resolve) => { socket.once('connect', resolve); })));
    const started = performance.now();
    await refuses(login, 404, right(login), { path: '/' });
    assert.ok(performance.now() - started < 3000, 'nor does anybody wait for them');
    await finish(login);
    for (const socket of sockets) socket.destroy();
  }));

  test('a head in small pieces is put together; others are served meanwhile', () => duringLogin(async (login) => {
    const socket = net.connect(login.address);
    const chunks = [];
    socket.on('data', (chunk) => chunks.push(chunk)).on('error', () => {});
    const closed = new Promise((resolve) => { socket.on('close', resolve); });
    const bytes = `GET /elsewhere HTTP/1.1\r\nHost: ${login.redirect.host}\r\n\r\n`;
    for (const byte of bytes) {
      socket.write(byte);
      await pause(2);
      if (byte === '/') await refuses(login, 404, {}, { path: '/meanwhile' });
    }
    await closed;
    assert.match(Buffer.concat(chunks).toString(), /^HTTP\/1\.1 404 /);
  }));

  test('S0:27 who has said nothing for five seconds is hung up on', () => duringLogin(async (login) => {
    const started = performance.now();
    const { failed } = await exchangeBytes(login.address, 'GET /callback', { timeout: 12000 });
    const ms = performance.now() - started;
    assert.ok(failed === 'closed' && ms > 4500 && ms < 10000, `${failed} after ${ms} ms`);
  }));

  test('one request for each connection', () => duringLogin(async (login) => {
    const one = `GET /elsewhere HTTP/1.1\r\nHost: ${login.redirect.host}\r\nConnection: keep-alive\r\n\r\n`;
    const { text, headers } = await login.send(one + one);
    assert.equal(text.split('HTTP/1.1 ').length, 2);
    assert.equal(headers.connection, 'close');
  }));
});

describe('where it listens', () => {
  const places = { 'http://127.0.0.1/callback': '127.0.0.1', 'http://[::1]/callback': '::1', 'http://localhost/callback': 'localhost' };
  for (const [redirect_uri, what] of Object.entries(places)) {
    test(`for ${redirect_uri}: on loopback only, in both families`, needsIPv6, async () => {
      const name = unique(`place-${what.replaceAll(/\W/g, '')}`);
      await addPublic(world, name, { redirect_uri });
      await duringLogin(async (login) => {
        assert.deepEqual(listenersOf(login.child.pid), [`127.0.0.1:${login.port}`, `[::1]:${login.port}`]);
        const answers = await Promise.all(['127.0.0.1', '::1'].map((host) => login.get({}, { address: { host, port: login.port } })));
        assert.deepEqual(answers.map(({ status }) => status), [400, 400]);
      }, name);
    });
  }

  test('S1:42 S3:35 a fixed port and path, as they were registered', async () => {
    const name = unique('fixed');
    const redirect_uri = `http://127.0.0.1:${await World.freePort()}/some/place`;
    await world.control.app({ tenant: 'b', client_id: 'fixture-b-device-cli', redirect_uris: [redirect_uri] });
    await addPublic(world, name, { redirect_uri });
    await duringLogin(async (login) => {
      assert.equal(login.redirect.href, redirect_uri);
      await refuses(login, 404, right(login), { path: '/callback' });
    }, name);
  });

  test('a registered path that is that of the last page', async () => {
    const name = unique('done');
    const redirect_uri = 'http://127.0.0.1/done';
    await world.control.app({ tenant: 'b', client_id: 'fixture-b-device-cli', redirect_uris: [redirect_uri] });
    await addPublic(world, name, { redirect_uri });
    const { code, page } = await Login.complete(world, name);
    assert.equal(code, 0);
    assert.match(page.body, /You are logged in/);
  });

  test('port 80, which browsers leave out', async (t) => {
    const server = net.createServer();
    const free = await new Promise((resolve) => { server.once('error', () => resolve(false)).listen(80, '127.0.0.1', () => resolve(true)); });
    await new Promise((resolve) => { server.close(resolve); });
    if (!free) return t.skip('it is taken, or not for us');
    const name = unique('eighty');
    await addPublic(world, name, { redirect_uri: 'http://127.0.0.1:80/callback' });
    assert.equal((await Login.complete(world, name)).code, 0);
    return undefined;
  });

  test('another port for each login, and none left behind', async () => {
    const ports = new Set();
    for (let i = 0; i < 3; i += 1) {
      const { parameters } = await Login.complete(world, NAME);
      const { port } = new URL(parameters.redirect_uri);
      ports.add(port);
      assert.equal((await exchangeBytes({ host: '127.0.0.1', port })).failed, 'ECONNREFUSED');
    }
    assert.equal(ports.size, 3);
  });

  const occupied = { 'http://127.0.0.1': '127.0.0.1', 'http://[::1]': '::1', 'http://localhost (IPv4)': '127.0.0.1', 'http://localhost (IPv6)': '::1' };
  for (const [what, host] of Object.entries(occupied)) {
    test(`a port of ${what} that somebody has: it says so, and nobody is sent there`, host === '::1' ? needsIPv6 : {}, async () => {
      const name = unique(`taken-${what.replaceAll(/\W/g, '')}`);
      const server = net.createServer();
      await new Promise((resolve) => { server.listen(0, host, resolve); });
      const { port } = server.address();
      try {
        await addPublic(world, name, { redirect_uri: `${what.split(' ')[0]}:${port}/callback` });
        const { code, stdout, stderr } = await world.run(['login', name, '--no-browser'], { timeout: 3000 });
        assert.deepEqual([code, stdout], [5, ''], stderr);
        assert.match(stderr, new RegExp(`^ringbearer: ${name}: [^\n]*:${port} cannot be listened on[^\n]*; [^\n]+\n$`));
      } finally {
        server.close();
      }
    });
  }

  test('an address that is not this computer\'s', async () => {
    const uris = ['https://127.0.0.1/callback', 'http://example.test/callback', 'http://127.0.0.1.example.test/callback', 'http://127.0.0.1@example.test/',
      'http://0.0.0.0/callback', 'http://127.0.0.1:99999/callback', 'http://127.0.0.1:x/callback', 'http://127.0.0.1/callback#there', 'http://127.0.0.1/callback?x=1', 'callback'];
    for (const [index, redirect_uri] of uris.entries()) {
      const name = unique(`abroad-${index}`);
      await addPublic(world, name, { redirect_uri });
      const { code, stderr } = await world.run(['login', name, '--no-browser'], { timeout: 3000 });
      assert.equal(code, 7, redirect_uri);
      assert.match(stderr, /`redirect_uri` is no loopback address .*--paste/, redirect_uri);
    }
    assert.equal(await world.control.count('authorize', 'b'), 0);
  });

  test('its sockets are not for children, nor is anything else that it opens', () => duringLogin(async ({ child: { pid } }) => {
    const same = (number) => fs.existsSync(`/proc/self/fd/${number}`) && fs.readlinkSync(`/proc/self/fd/${number}`) === fs.readlinkSync(`/proc/${pid}/fd/${number}`);
    const opened = fs.readdirSync(`/proc/${pid}/fd`).filter((number) => number > 2 && !same(number)); // what we passed on aside
    assert.ok(opened.length >= 2);
    const inherited = opened.filter((number) => {
      const [, flags] = /flags:\s*(\d+)/.exec(fs.readFileSync(`/proc/${pid}/fdinfo/${number}`, 'utf8'));
      return (Number.parseInt(flags, 8) & 0o2000000) === 0; // O_CLOEXEC
    });
    assert.deepEqual(inherited, []);
  }));
});

test('nobody is sent elsewhere', () => duringLogin(async (login) => {
  const queries = [{ ...right(login), redirect: 'https://attacker.test/' }, { ...right(login), state: 'x', url: '//attacker.test' }];
  await refuses(login, 400, queries[1]);
  for (const path of ['//attacker.test/callback', '/\\attacker.test', '/done?next=https://attacker.test/', 'https://attacker.test/callback', '/done/../callback']) {
    const answer = await login.get(right(login), { path });
    assert.deepEqual([answer.status, answer.headers.location], [404, undefined], path);
  }
}));

test('the right one is sent to /done and nowhere else; the code does not come along', async () => {
  const login = await Login.begin(world, NAME);
  const location = new URL(await login.consent());
  location.searchParams.set('next', 'https://attacker.test/');
  const { first, page } = await login.arrive(location.href);
  assert.deepEqual([first.status, first.headers.location, first.body], [303, '/done', '']);
  assert.equal(page.status, 200);
  assert.equal((await login.end()).code, 0);
  const [{ form }] = await seen(world, 'b', 'token');
  assert.ok(!page.body.includes(form.get('code')) && !JSON.stringify(first.headers).includes(form.get('code')));
  assert.equal((await world.api(DEVICES, await tokenOf(world, NAME))).status, 200);
});
