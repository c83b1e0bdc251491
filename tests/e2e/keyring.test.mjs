// SPDX-License-Identifier: MIT
//
// The private keyring sessions do what they are there for, shown with secret-tool and dbus-send.
// The program under test is not involved; with no display every prompt counts as dismissed.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run } from './lib/processes.mjs';
import { World } from './lib/world.mjs';

const SERVERS = fileURLToPath(new URL('../servers/', import.meta.url));
const PROMPT = 5000;

const store = (world, value) => world.exec('secret-tool', ['store', '--label=test', 'service', 'test'], { input: value, timeout: PROMPT });
const lookup = (world, service = 'test') => world.exec('secret-tool', ['lookup', 'service', service], { timeout: PROMPT });

async function inWorld(options, body) {
  const world = await World.create({ servers: false, ...options });
  try {
    await body(world);
  } finally {
    await world.close();
  }
  assert.equal(fs.existsSync(world.dir), false);
  assert.deepEqual(world.processes(), []);
}

const modes = {
  async unlocked(world) {
    assert.equal((await store(world, 'value')).code, 0);
    assert.equal((await lookup(world)).stdout, 'value');
    assert.equal(await world.keyring.locked(), false);
  },
  async locked(world) {
    assert.equal(await world.keyring.locked(), true);
    assert.notEqual((await lookup(world, 'seed')).code, 0);
    const stored = await store(world, 'value');
    assert.notEqual(stored.code, 0);
    assert.match(stored.stderr, /locked/);
    await world.keyring.unlock();
    assert.equal((await lookup(world, 'seed')).stdout, 'seeded');
  },
  async empty(world) {
    await assert.rejects(world.keyring.locked(), 'there is no login keyring to ask');
    assert.notEqual((await store(world, 'value')).code, 0);
    assert.deepEqual(fs.readdirSync(world.env.XDG_DATA_HOME + '/keyrings').filter((name) => name.endsWith('.keyring')), []);
  },
  async none(world) {
    assert.match((await lookup(world)).stderr, /not provided by any/);
  },
  async nobus(world) {
    assert.match((await lookup(world)).stderr, /connect/i);
  },
  async mute(world) {
    const { timedOut, stderr } = await world.exec('secret-tool', ['lookup', 'service', 'test'], { timeout: 500 });
    assert.deepEqual([timedOut, stderr], [true, '']);
    const owner = await world.exec('dbus-send', ['--session', '--print-reply=literal', '--dest=org.freedesktop.DBus', '/',
      'org.freedesktop.DBus.NameHasOwner', 'string:org.freedesktop.secrets']);
    assert.match(owner.stdout, /true/);
  },
};

for (const [keyring, body] of Object.entries(modes)) test(`mode ${keyring}`, () => inWorld({ keyring }, body));

test('lock and unlock, a wrong password, the daemon killed and started again', () => inWorld({}, async (world) => {
  await store(world, 'value');
  await world.keyring.lock();
  assert.equal(await world.keyring.locked(), true);
  await assert.rejects(world.keyring.unlock('wrong'), /refused/);
  assert.equal(await world.keyring.locked(), true);
  await world.keyring.unlock();
  assert.equal((await lookup(world)).stdout, 'value');
  await world.keyring.kill();
  assert.match((await lookup(world)).stderr, /not provided by any/);
  await world.keyring.start();
  assert.equal((await lookup(world)).stdout, 'value');
}));

test('the bus killed under a running session', () => inWorld({}, async (world) => {
  await store(world, 'value');
  world.keyring.killBus();
  assert.notEqual((await lookup(world)).code, 0);
}));

test('with activation a killed daemon comes back locked', () => inWorld({ activation: true }, async (world) => {
  await store(world, 'value');
  await world.keyring.kill();
  assert.notEqual((await lookup(world)).stdout, 'value');
  assert.equal(await world.keyring.locked(), true);
}));

test('the command line tools do the same', () => inWorld({ keyring: 'locked' }, async (world) => {
  const control = async (...args) => {
    const { code, stdout } = await world.exec(process.execPath, [path.join(SERVERS, 'keyring-control.mjs'), ...args]);
    return [code, stdout];
  };
  assert.deepEqual(await control('locked'), [0, 'true\n']);
  assert.deepEqual(await control('unlock', 'wrong'), [1, '']);
  assert.deepEqual(await control('unlock'), [0, '']);
  assert.deepEqual(await control('locked'), [0, 'false\n']);
  assert.deepEqual(await control('lock'), [0, '']);
  assert.deepEqual(await control('locked'), [0, 'true\n']);
  assert.deepEqual(await control('nonsense'), [2, '']);
}));

test('a session for one command: its exit status, nothing of the caller, nothing left', async () => {
  const probe = 'echo "$HOME $DBUS_SESSION_BUS_ADDRESS ${DISPLAY-none}"; exit 7';
  const env = { PATH: process.env.PATH, HOME: '/nonexistent', DISPLAY: ':99', DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent' };
  const { code, stdout, stderr } = await run(path.join(SERVERS, 'keyring-session.sh'), ['sh', '-c', probe], { env });
  assert.deepEqual([code, stderr], [7, '']);
  const [home, address, display] = stdout.trim().split(' ');
  assert.ok(address.includes('/run/bus') && !home.includes('nonexistent') && display === 'none', stdout);
  assert.equal(fs.existsSync(home), false);
});

test('the environment of a world is built, not inherited', () => inWorld({ keyring: 'nobus' }, async (world) => {
  process.env.RINGBEARER_TEST_LEAK = 'yes';
  const { stdout } = await world.exec('env');
  assert.doesNotMatch(stdout, /RINGBEARER_TEST_LEAK|^DISPLAY=|^WAYLAND_DISPLAY=|proxy=/mi);
  for (const name of ['HOME', 'XDG_CONFIG_HOME', 'XDG_DATA_HOME', 'XDG_CACHE_HOME', 'XDG_RUNTIME_DIR']) {
    assert.ok(world.env[name].startsWith(world.dir), name);
  }
  assert.equal(fs.statSync(world.dir).mode & 0o777, 0o700);
}));
