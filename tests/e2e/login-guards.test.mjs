// SPDX-License-Identifier: MIT
//
// Before anybody is sent to a browser: what cannot work is said at once, and the service does not
// hear of it. And what may happen while a person is at the service's pages.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { closeWorld, edit } from './lib/accounts.mjs';
import { addConfidential, addPublic, DEVICES, kindsKept, tokenOf } from './lib/login-accounts.mjs';
import { Login } from './lib/login.mjs';
import { unique } from './lib/small-accounts.mjs';
import { World } from './lib/world.mjs';

const [SECRETIVE, PUBLIC, MACHINES, KEYED] = ['guard-b', 'guard-p', 'guard-cc', 'guard-key'].map(unique);
const MINUTES = 5;
let world;
let redirect;

before(async () => {
  world = await World.create();
  redirect = await addConfidential(world, SECRETIVE);
  await addPublic(world, PUBLIC);
  await world.addClientCredentials(MACHINES);
  await world.addApiKey(KEYED);
});
after(() => closeWorld(world));
beforeEach(async () => {
  await world.control.reset();
  await world.control.app({ tenant: 'b', client_id: 'fixture-b-field-service', redirect_uris: [redirect] });
});

// A login that does not begin: no address, no browser, nothing at the server, and no waiting.
async function refuses(where, name, exit, says) {
  const browser = where.browser({ deliver: false });
  const { code, stdout, stderr, ms } = await where.run(['login', name], { env: browser.env, timeout: 10000 });
  assert.equal(code, exit, stderr);
  assert.equal(stdout, '');
  assert.match(stderr, /^ringbearer: [^\n]+; [^\n]+\n$/, 'one line, with advice');
  for (const pattern of [says].flat()) assert.match(stderr, pattern);
  assert.deepEqual([browser.visits(), await where.control.count('authorize', 'b')], [[], 0]);
  assert.ok(ms < 5000, `${ms} ms`);
}

describe('a keyring that cannot be written', () => {
  const troubles = {
    locked: (keyring) => keyring.lock(),
    'without its service': (keyring) => keyring.kill(),
    'without a bus': (keyring) => keyring.killBus(),
  };
  for (const [what, trouble] of Object.entries(troubles)) {
    test(what, async () => {
      const own = await World.create();
      const name = unique(`guard-${what.replaceAll(' ', '-')}`);
      try {
        await addPublic(own, name); // it has no secret that could be missed first
        await trouble(own.keyring);
        await refuses(own, name, 4, /keyring/);
      } finally {
        await own.close();
      }
    });
  }

  test('trying it out leaves nothing there', async () => {
    const before = await kindsKept(world, SECRETIVE);
    await Login.during(world, SECRETIVE, async () => assert.deepEqual(await kindsKept(world, SECRETIVE), before));
    assert.deepEqual(before, ['client_secret']);
  });
});

describe('what is missing or does not fit', () => {
  test('the client secret', async () => {
    const name = unique('guard-nosecret');
    await addConfidential(world, name);
    await world.request({ account: name, secret: 'client_secret' }, { verb: 'erase' });
    await refuses(world, name, 4, /client secret.*`ringbearer secret /);
  });

  test('the authorization endpoint', async () => {
    const name = unique('guard-noendpoint');
    await addPublic(world, name, { provider: 'oauth2' });
    edit(world, name, 'authorization_endpoint');
    await refuses(world, name, 7, /`authorization_endpoint`/);
  });

  test('an account that needs no login, or is none', async () => {
    await refuses(world, MACHINES, 2, /needs no login \(grant = client_credentials\)/);
    await refuses(world, KEYED, 2, /needs no login \(grant = api_key\)/);
    await refuses(world, unique('guard-nobody'), 1, /guard-nobody/);
    assert.equal((await world.run(['login'])).code, 2);
    assert.equal((await world.run(['login', PUBLIC, MACHINES])).code, 2);
    assert.equal((await world.run(['login', PUBLIC, '--no-such-option'])).code, 2);
  });

  test('an address to come back to, where the service wants one that is registered: `add` says so', async () => {
    const keys = ['--provider=blueconic', '--tenant=acme', '--client-id=x', '--secret-stdin'];
    const name = unique('guard-blueconic');
    const { code, stderr } = await world.run(['add', name, ...keys, '--grant=authorization_code'], { input: 'secret' });
    assert.equal(code, 7, stderr);
    assert.match(stderr, /`redirect_uri` is not set; add --redirect-uri=/);
    await world.must(['add', name, ...keys, '--grant=client_credentials'], { input: 'secret' });
  });

  test('--paste without an address that is registered', async () => {
    const name = unique('guard-paste');
    await addPublic(world, name, { redirect_uri: undefined });
    const { code, stdout } = await Login.start(world, name, { args: ['--paste', '--no-browser'], terminal: true }).end();
    assert.equal(code, 7, stdout);
    assert.match(stdout, /^ringbearer: .*`redirect_uri` is not set/);
  });

  test('`get` never sends anybody to a browser', async () => {
    const browser = world.browser({ deliver: false });
    const { code, stderr } = await world.request({ account: PUBLIC, interactive: 'auto' }, { env: { ...browser.env, DISPLAY: ':99' } });
    assert.equal(code, 3);
    assert.match(stderr, new RegExp(`\`ringbearer login ${PUBLIC}\``));
    assert.deepEqual([browser.visits(), await world.control.count('authorize', 'b')], [[], 0]);
  });
});

describe('two logins at once', () => {
  test('one account: the second ends at once, the first goes on', () => Login.during(world, PUBLIC, async (login) => {
    const started = performance.now();
    const second = await world.run(['login', PUBLIC, '--no-browser'], { timeout: 5000 });
    assert.deepEqual([second.code, second.stdout], [5, ''], second.stderr);
    assert.match(second.stderr, new RegExp(`^ringbearer: ${PUBLIC}: another login .* under way; [^\n]+\n$`));
    assert.ok(performance.now() - started < 4000);
    await login.arrive(await login.consent());
    assert.equal((await login.end()).code, 0);
    assert.equal((await Login.complete(world, PUBLIC)).code, 0, 'and then it is free again');
  }));

  test('two accounts do not mind each other', async () => {
    const logins = await Promise.all([PUBLIC, SECRETIVE].map((name) => Login.begin(world, name)));
    for (const login of logins.reverse()) await login.arrive(await login.consent());
    for (const login of logins) assert.equal((await login.end()).code, 0);
  });

  test('a login that was killed is in nobody\'s way', async () => {
    await Login.during(world, PUBLIC, (login) => login.signal('SIGKILL'));
    assert.equal((await Login.complete(world, PUBLIC)).code, 0);
  });

  test('`get` does not wait for the person', async () => {
    const token = (await Login.complete(world, PUBLIC)).code === 0 && await tokenOf(world, PUBLIC);
    await Login.during(world, PUBLIC, async () => {
      assert.equal(await tokenOf(world, PUBLIC), token);
      await world.must(['refresh', PUBLIC], { timeout: 5000 });
      assert.equal((await world.api(DEVICES, await tokenOf(world, PUBLIC))).status, 200);
    });
  });
});

describe('meanwhile', () => {
  test('the keyring is locked: nothing is handed out that could not be kept, and the page does not say otherwise', async () => {
    const own = await World.create();
    const name = unique('guard-meanwhile');
    try {
      await addPublic(own, name);
      await Login.during(own, name, async (login) => {
        const location = await login.consent();
        await own.keyring.lock();
        const { page } = await login.arrive(location);
        const { code, stdout, stderr } = await login.end();
        assert.deepEqual([code, stdout], [4, ''], stderr);
        assert.match(stderr, /^ringbearer: .*keyring.*; .*/m);
        assert.doesNotMatch(page.body, /You are logged in/);
      });
      assert.equal((await own.request({ account: name })).code, 3, 'nobody has logged in');
    } finally {
      await own.close();
    }
  });

  test('the account is edited: the login goes on as it began', () => Login.during(world, PUBLIC, async (login) => {
    edit(world, PUBLIC, 'username', 'somebody');
    await login.arrive(await login.consent());
    assert.equal((await login.end()).code, 0);
    edit(world, PUBLIC, 'username', undefined);
  }));

  // The program's clock runs sixty times as fast; the keyring's and the server's do not. Builds that
  // want to be loaded before all others (sanitizers) cannot have that.
  test(`nobody comes for ${MINUTES} minutes: it ends, and says how to go on`, async (t) => {
    const speed = 60;
    const under = ['faketime', '-f', `+0 x${speed}`];
    const works = await world.exec(under[0], [...under.slice(1), world.program, '--version']).catch(() => ({ code: 1 }));
    if (works.code !== 0) return t.skip('faketime is missing, or not for this build');
    const login = await Login.begin(world, PUBLIC, { under });
    const started = performance.now();
    const { code, stdout, stderr } = await login.end(20000);
    assert.deepEqual([code, stdout], [3, ''], stderr);
    assert.match(stderr, /nobody came back .* in time; run `ringbearer login /);
    const seconds = (performance.now() - started) * speed / 1000;
    assert.ok(seconds > (MINUTES - 1) * 60 && seconds < (MINUTES + 2.5) * 60, `${seconds} s`);
    return undefined;
  });
});
