// SPDX-License-Identifier: MIT
//
// The attacker is another user of the machine while somebody logs in: reads every command line, reaches every port of the
// loopback interface, and would have the person log in to an account that is not theirs.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { Login, until } from '../e2e/lib/login.mjs';
import { request } from '../e2e/lib/http.mjs';
import { start } from '../e2e/lib/processes.mjs';
import { Service } from '../e2e/lib/service.mjs';
import { unique } from '../e2e/lib/small-accounts.mjs';
import { World } from '../e2e/lib/world.mjs';

const OTHER = 65534;
const asOther = { skip: process.getuid() !== 0 && 'only root can be another user' };
let [world, service, name, browser] = [];

before(async () => {
  [world, service] = await Promise.all([World.create({ servers: false }), Service.start()]);
  browser = `${world.dir}/bin/sleeper`; // comes up, and its person is slow
  fs.writeFileSync(browser, '#!/bin/sh\nsleep 60\n', { mode: 0o700 });
  name = unique('other-user');
  await world.add(name, {
    provider: 'oauth2', grant: 'authorization_code', client_auth: 'none', client_id: 'made-up',
    authorization_endpoint: `${service.origin}/auth`, token_endpoint: `${service.origin}/token`, match: 'https://api.example.com/',
  });
});
after(async () => { service.stop(); await world.close(); });

const withBrowser = (body) => Login.during(world, name, body, { args: [], env: { BROWSER: browser } });

// The status and the Location that this URL has for somebody else.
async function otherGets(url) {
  const child = start('curl', ['-s', '-o', '/dev/null', '-w', '%{http_code} %{redirect_url}', '--noproxy', '*', url], {
    uid: OTHER, gid: OTHER, cwd: '/', stdio: ['ignore', 'pipe', 'ignore'],
  });
  let text = '';
  child.stdout.on('data', (chunk) => { text += chunk; });
  await child.ended;
  return text.trim();
}

// What every user can read: the command lines of all that runs.
const commandLines = () => fs.readdirSync('/proc').filter((pid) => /^\d+$/.test(pid)).map((pid) => {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
});

describe('what a browser\'s command line says', () => {
  test('nothing of the request: no state, no challenge, no address to come back to', () => withBrowser(async (login) => {
    const line = await until(() => commandLines().find((one) => one.includes(browser) && one.includes(login.url)), 'the browser');
    assert.match(line, /http:\/\/127\.0\.0\.1:\d+\/start\/[\w-]{43} $/);
    await login.setOut();
    const { state, code_challenge, redirect_uri } = login.parameters;
    const seen = commandLines().join('\n') + login.stderr;
    for (const part of [state, code_challenge, encodeURIComponent(redirect_uri), 'client_id=']) assert.ok(part && !seen.includes(part), part);
  }));

  test('an address that is good once', () => withBrowser(async (login) => {
    await login.setOut();
    assert.equal((await request(login.url)).status, 410);
    assert.match((await request(login.url)).body, /opened before.*Ctrl-C/s);
    await login.arrive(await login.consent());
    assert.equal((await login.end()).code, 0);
  }));
});

describe('who comes first', asOther, () => {
  test('is turned away if it is another user, who learns nothing; the person is told, and goes on', () => withBrowser(async (login) => {
    assert.equal(await otherGets(login.url), '403');
    assert.equal(await otherGets(`${new URL(login.url).origin}/callback/${name}?code=theirs&state=guessed`), '403');
    assert.match(login.stderr, /another user of this machine .*turned away/);
    await login.setOut();
    assert.equal(await otherGets(login.url), '403');
    const location = await login.consent();
    // Even one who knew the state.
    assert.equal(await otherGets(location.replace(/code=[^&]*/, 'code=theirs')), '403');
    await login.arrive(location);
    const { code, stderr } = await login.end();
    assert.equal(code, 0, stderr);
    assert.equal(stderr.match(/another user/g).length, 1, 'once is enough');
    assert.ok(!service.forms('/token').some(({ code: sent }) => sent === 'theirs'));
  }));

  test('hangs up before anybody could see whose it was, and is turned away all the same', () => withBrowser(async (login) => {
    const location = await login.setOut().then(() => login.consent());
    const { hostname, port, pathname, search } = new URL(location.replace(/code=[^&]*/, 'code=theirs'));
    for (const linger of [[], [1, 0]]) {
      const script = `import socket, struct
s = socket.create_connection(('${hostname}', ${port}))
${linger.length ? `s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', ${linger}))` : ''}
s.sendall(b'GET ${pathname}${search} HTTP/1.1\\r\\nHost: ${hostname}:${port}\\r\\n\\r\\n')
s.close()`;
      const child = start('python3', ['-c', script], { uid: OTHER, gid: OTHER, cwd: '/', stdio: 'ignore' });
      assert.equal((await child.ended).code, 0);
    }
    assert.equal((await request(`${new URL(login.url).origin}/nothing`)).status, 404, 'it has looked at both');
    assert.ok(login.waits, login.stderr);
    await login.arrive(location);
    assert.equal((await login.end()).code, 0);
    assert.ok(!service.forms('/token').some(({ code: sent }) => sent === 'theirs'));
  }));

  test('may be anybody where the address was shown instead: the person takes it to whatever browser there is', () => Login.during(world, name, async (login) => {
    const location = await login.consent();
    assert.match(await otherGets(location), /^303 .*\/done$/);
    assert.equal((await login.end()).code, 0);
  }));
});
