// SPDX-License-Identifier: MIT
//
// The attacker is another user of the machine, who makes the folder of locks below /tmp before its owner does. Renewals go on
// elsewhere, all callers of the user meet there, and it is said. The victim is a user id of its own without /run/user, so that
// nobody's real folder is touched; the renewals end at the store, behind the lock, since this user has no keyring.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { keyAccount } from '../e2e/lib/small-accounts.mjs';
import { World } from '../e2e/lib/world.mjs';

const VICTIM = 100000 + process.pid % 100000;
const OTHER = 4242;
const FOLDER = `/tmp/ringbearer-${VICTIM}`;
const folders = [FOLDER, ...Array.from({ length: 9 }, (_, i) => `${FOLDER}.${i + 1}`)];
let [world, home] = [];
let skip = process.getuid() === 0 ? false : 'needs root, to be other users';

const as = (uid, file, args, env = {}) => spawnSync('setpriv', [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', file, ...args], {
  encoding: 'utf8', cwd: '/',
  env: { PATH: process.env.PATH, HOME: home, XDG_CONFIG_HOME: home, RINGBEARER_MODULE_DIR: world.env.RINGBEARER_MODULE_DIR, RINGBEARER_PROVIDER_DIR: world.env.RINGBEARER_PROVIDER_DIR, ...env },
});
const renew = (env) => as(VICTIM, world.program, ['refresh', 'it'], env);
const squat = (folder) => { fs.mkdirSync(folder, { mode: 0o700 }); fs.chownSync(folder, OTHER, OTHER); };
const locksIn = (folder) => (fs.existsSync(folder) ? fs.readdirSync(folder).filter((name) => name.endsWith('.lock')) : []);

before(async () => {
  world = await World.create({ keyring: 'none', servers: false }).catch(() => World.create({ servers: false }));
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'rbl-'));
  fs.mkdirSync(`${home}/ringbearer/accounts`, { recursive: true });
  fs.writeFileSync(`${home}/ringbearer/accounts/it`, Object.entries(keyAccount).map(([key, value]) => `${key} = ${value}\n`).join(''), { mode: 0o600 });
  for (const one of ['', '/ringbearer', '/ringbearer/accounts', '/ringbearer/accounts/it']) fs.chownSync(home + one, VICTIM, VICTIM);
  if (!skip && (as(VICTIM, world.program, ['help']).status !== 0 || as(VICTIM, 'test', ['-r', `${world.env.RINGBEARER_MODULE_DIR}/grant-api-key.so`]).status !== 0)) skip = 'another user cannot run what was built here';
});
after(async () => {
  await world.close();
  fs.rmSync(home, { recursive: true, force: true });
});
afterEach(() => { for (const folder of folders) fs.rmSync(folder, { recursive: true, force: true }); });

const locked = (result, says) => {
  assert.equal(result.status, 4, `behind the lock there is no keyring: ${result.stderr}`);
  if (says) assert.match(result.stderr, says);
  else assert.doesNotMatch(result.stderr, /locks are in/);
};

test('a folder that another user made first stops no renewal', (t) => {
  if (skip) return t.skip(skip);
  squat(FOLDER);
  const said = new RegExp(`^ringbearer: ${FOLDER} is not yours alone[^\n]*: locks are in ${FOLDER}\\.1;[^\n]*\n(?![^]*locks are in)`, 'm');
  locked(renew(), said);
  assert.equal(locksIn(`${FOLDER}.1`).length, 1);
  // Who has another environment meets the first.
  locked(renew({ HOME: '/', TMPDIR: home, XDG_RUNTIME_DIR: home, XDG_CACHE_HOME: home }), said);
  assert.equal(locksIn(`${FOLDER}.1`).length, 1, 'one lock for both');
  // And so does who comes when the other user has made room.
  fs.rmdirSync(FOLDER);
  locked(renew());
  assert.deepEqual([fs.existsSync(FOLDER), locksIn(`${FOLDER}.1`).length], [false, 1]);
  return undefined;
});

test('nor do several, a link, a file, or one of our own that others can write to', (t) => {
  if (skip) return t.skip(skip);
  squat(FOLDER);
  fs.symlinkSync('/etc', `${FOLDER}.1`);
  fs.writeFileSync(`${FOLDER}.2`, '');
  fs.mkdirSync(`${FOLDER}.3`);
  fs.chownSync(`${FOLDER}.3`, VICTIM, VICTIM);
  fs.chmodSync(`${FOLDER}.3`, 0o777);
  locked(renew(), new RegExp(`locks are in ${FOLDER}\\.4;`));
  assert.equal(locksIn(`${FOLDER}.4`).length, 1);
  return undefined;
});

test('where all are taken, the locks are in the home that the user database names', (t) => {
  if (skip) return t.skip(skip);
  folders.forEach(squat);
  assert.match(renew().stderr, /all that could stand in for it cannot be used for locks/);
  const passwd = `${home}/passwd`;
  fs.writeFileSync(passwd, `root:x:0:0:root:/root:/bin/sh\nvictim:x:${VICTIM}:${VICTIM}::${home}:/bin/sh\n`);
  const script = `mount --bind ${passwd} /etc/passwd && exec setpriv --reuid=${VICTIM} --regid=${VICTIM} --clear-groups env HOME=/ XDG_CONFIG_HOME=${home} ${world.program} refresh it`;
  const result = spawnSync('unshare', ['-m', 'sh', '-c', script], { encoding: 'utf8', env: { ...process.env, RINGBEARER_MODULE_DIR: world.env.RINGBEARER_MODULE_DIR, RINGBEARER_PROVIDER_DIR: world.env.RINGBEARER_PROVIDER_DIR, DBUS_SESSION_BUS_ADDRESS: '' } });
  if (/unshare:|mount:/.test(result.stderr)) return t.skip('no mount namespace can be had here');
  locked(result, /locks are in \S+\/\.ringbearer-locks;/);
  assert.equal(locksIn(`${home}/.ringbearer-locks`).length, 1);
  return undefined;
});

test('whoever starts at the same time finds the same folder', async (t) => {
  if (skip) return t.skip(skip);
  squat(FOLDER);
  const runs = Array.from({ length: 12 }, () => spawn('setpriv', [`--reuid=${VICTIM}`, `--regid=${VICTIM}`, '--clear-groups', world.program, 'refresh', 'it'], { cwd: '/', stdio: 'ignore', env: { PATH: process.env.PATH, HOME: home, XDG_CONFIG_HOME: home, RINGBEARER_MODULE_DIR: world.env.RINGBEARER_MODULE_DIR, RINGBEARER_PROVIDER_DIR: world.env.RINGBEARER_PROVIDER_DIR } }));
  await Promise.all(runs.map((run) => once(run, 'exit')));
  assert.deepEqual(folders.filter((folder) => locksIn(folder).length > 0), [`${FOLDER}.1`]);
  return undefined;
});
