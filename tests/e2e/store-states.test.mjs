// SPDX-License-Identifier: MIT
//
// The Secret Service store when something is in its way. Absent, locked, dismissed and unavailable are
// never mistaken for one another, nothing is changed meanwhile, and nothing hangs.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { closeWorld } from './lib/accounts.mjs';
import { KEY, PLACE, addKey, ask, askAfresh, assertRefused, keyAccount, unique } from './lib/small-accounts.mjs';
import { World } from './lib/world.mjs';

const QUICK = 1000; // milliseconds
const folderOf = (world) => path.join(world.env.XDG_CONFIG_HOME, 'ringbearer', 'accounts');
const put = (world, account, secrets) => ask(world, { account, ...secrets }, { verb: 'store' });
const quick = (result) => assert.ok(result.ms < QUICK, `took ${result.ms} ms`);

describe('a keyring through its states', () => {
  let world;
  const name = unique('store-states');
  before(async () => {
    world = await World.create({ servers: false });
    await addKey(world, name);
  });
  after(() => closeWorld(world));
  afterEach(async () => { if (await world.keyring.locked().catch(() => false)) await world.keyring.unlock(); });

  test('open and without the item: absent', async () => {
    const other = unique('store-absent');
    world.account(other, keyAccount);
    assertRefused(await ask(world, { account: other }), 4, 'no_secret', /no API key/);
  });

  test('locked, without a person', async () => {
    await world.keyring.lock();
    const result = await askAfresh(world, name);
    assertRefused(result, 4, 'store_locked', /unlock/);
    quick(result);
    const stored = await put(world, name, { api_key: 'new' });
    assert.deepEqual([stored.code, /locked/.test(stored.stderr)], [4, true]);
    const erased = await world.request({ account: name, secret: 'all' }, { verb: 'erase' });
    assert.deepEqual([erased.code, /locked/.test(erased.stderr)], [4, true]);
    await world.keyring.unlock();
    assert.equal((await ask(world, { account: name })).answer.password, KEY, 'nothing was changed');
  });

  test('locked, with a person and no prompter: dismissed', async () => {
    await world.keyring.lock();
    const result = await askAfresh(world, name, { interactive: 'auto' });
    assertRefused(result, 4, 'store_dismissed', /prompt/);
    quick(result);
    const flags = ['--provider=oauth2', '--grant=api_key', `--match=${PLACE}`, '--secret-stdin'];
    const added = await world.run(['add', `${name}-new`, ...flags], { input: KEY });
    assert.equal(added.code, 4);
    assert.equal(fs.existsSync(path.join(folderOf(world), `${name}-new`)), false);
    const removed = await world.run(['remove', name]);
    assert.deepEqual([removed.code, fs.existsSync(path.join(folderOf(world), name))], [4, true]);
  });

  test('locked since the daemon started is locked, not absent', async () => {
    await world.keyring.kill();
    await world.keyring.start('not the password');
    assert.equal(await world.keyring.locked(), true);
    assertRefused(await askAfresh(world, name), 4, 'store_locked');
    await world.keyring.unlock();
    assert.equal((await ask(world, { account: name })).answer.password, KEY);
  });

  test('the daemon killed, and back', async () => {
    await world.keyring.kill();
    const result = await askAfresh(world, name);
    assertRefused(result, 4, 'store_unavailable', /no keyring service runs/);
    quick(result);
    await world.keyring.start();
    assert.equal((await ask(world, { account: name })).answer.password, KEY);
  });

  test("cron's environment: the bus is found where logind makes it", async (t) => {
    const { code: refused } = await world.exec('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'none', '/run/user']);
    if (refused !== 0) return t.skip('a mount namespace cannot be made here');
    const script = 'mount -t tmpfs none /run/user && mkdir -m 700 "/run/user/$(id -u)" && ln -s "$BUS" "/run/user/$(id -u)/bus" && exec "$@"';
    const BUS = world.env.DBUS_SESSION_BUS_ADDRESS.replace('unix:path=', '');
    await world.request({ account: name }, { verb: 'erase' });
    const { code, stdout, stderr } = await world.exec('unshare', ['--mount', 'sh', '-c', script, 'sh', world.program, 'token', name], {
      env: { BUS, DBUS_SESSION_BUS_ADDRESS: undefined, XDG_RUNTIME_DIR: undefined },
    });
    return assert.deepEqual([code, stdout, stderr], [0, `${KEY}\n`, '']);
  });

  test('a cached token needs no keyring; the bus killed', async () => {
    assert.equal((await ask(world, { account: name })).code, 0);
    world.keyring.killBus();
    assert.equal((await ask(world, { account: name })).answer.password, KEY);
    const result = await askAfresh(world, name);
    assertRefused(result, 4, 'store_unavailable');
    quick(result);
  });
});

describe('no keyring', () => {
  const noBus = { DBUS_SESSION_BUS_ADDRESS: undefined, XDG_RUNTIME_DIR: undefined };
  const states = {
    'no session at all': ['nobus', noBus, /DBUS_SESSION_BUS_ADDRESS.*XDG_RUNTIME_DIR\/bus/],
    'a runtime folder without a bus': ['nobus', { DBUS_SESSION_BUS_ADDRESS: undefined }, /DBUS_SESSION_BUS_ADDRESS/],
    'a bus address that leads nowhere': ['nobus', {}, /DBUS_SESSION_BUS_ADDRESS leads to unix:path=\S*no-such-bus\S*, where nothing answers; .*dbus-run-session/],
    'a bus without a Secret Service': ['none', {}, /no keyring service runs.*gnome-keyring/],
    'a display, and still no bus is started': ['nobus', { ...noBus, DISPLAY: ':99' }, /D-Bus session/],
  };
  for (const [what, [keyring, env, message]] of Object.entries(states)) {
    test(`S1:36 ${what}`, async () => {
      const world = await World.create({ keyring, servers: false });
      try {
        const name = unique('store-none');
        world.account(name, keyAccount);
        const result = await ask(world, { account: name }, { env });
        assertRefused(result, 4, 'store_unavailable', message);
        quick(result);
      } finally {
        await world.close();
      }
    });
  }

  test('a service that says nothing: `timeout` bounds the call', async () => {
    const world = await World.create({ keyring: 'mute', servers: false });
    try {
      const name = unique('store-mute');
      world.account(name, { ...keyAccount, timeout: 2 });
      const result = await ask(world, { account: name }, { timeout: 10000 });
      assertRefused(result, 4, 'store_unavailable', /did not answer in time/);
      assert.ok(result.ms > 1900 && result.ms < 3500, `took ${result.ms} ms`);
      world.account(`${name}-login`, { ...keyAccount, grant: 'authorization_code', client_id: 'c', token_endpoint: `${PLACE}t`, authorization_endpoint: `${PLACE}a` });
      const listed = await world.must(['list', '--json'], { timeout: 10000 });
      assert.ok(listed.ms < 4000, `what only informs has a second, and took ${listed.ms} ms`);
      assert.equal(JSON.parse(listed.stdout).find((each) => each.account === `${name}-login`).logged_in, undefined);
    } finally {
      await world.close();
    }
  });

  test('a desktop without a keyring yet: the first secret would have to ask', async () => {
    const world = await World.create({ keyring: 'empty', servers: false });
    try {
      const name = unique('store-empty');
      world.account(name, keyAccount);
      assertRefused(await ask(world, { account: name }), 4, 'no_secret');
      const stored = await put(world, name, { api_key: KEY });
      assert.deepEqual([stored.code, /locked/.test(stored.stderr)], [4, true], stored.stderr);
      quick(stored);
    } finally {
      await world.close();
    }
  });
});
