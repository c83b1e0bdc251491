// SPDX-License-Identifier: MIT
//
// A login that is needed in the background is told to the person at the desktop: by dunst, a notification service, on a display
// of its own. The button is pressed as dunst's own command does it.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { closeWorld } from './lib/accounts.mjs';
import { missing, startDesktop } from './lib/desktop.mjs';
import { start } from './lib/processes.mjs';
import { unique } from './lib/small-accounts.mjs';
import { onTerminal } from './lib/terminal.mjs';
import { until } from './lib/until.mjs';
import { World } from './lib/world.mjs';

const skip = missing('dunst', 'dunstctl', 'Xvfb', 'dbus-send', 'setsid');

describe('notices', { skip }, () => {
  let [world, desktop, shown] = [];
  const name = unique('notices');

  before(async () => {
    world = await World.create();
    desktop = await startDesktop(world);
    const log = path.join(world.dir, 'dunst.log');
    const out = fs.openSync(log, 'a');
    start('dunst', ['-print', '-config', '/dev/null'], { env: desktop.env, stdio: ['ignore', out, out] });
    fs.closeSync(out);
    await until(() => desktop.call('org.freedesktop.Notifications', '/org/freedesktop/Notifications', 'org.freedesktop.Notifications.GetServerInformation'));
    shown = () => (fs.readFileSync(log, 'utf8').match(/summary: '.*'/g) ?? []).length;
    shown.text = () => fs.readFileSync(log, 'utf8');
    await world.addAuthorizationCode(name);
  });
  after(() => closeWorld(world));

  // A program in the background has no terminal.
  const get = (account = name, env = {}) => world.exec('setsid', ['-w', world.program, 'get', `--account=${account}`], { env: { ...desktop.env, ...env } });
  const notices = async (account) => (await world.exec('pgrep', ['-fc', `^ringbearer notice ${account}$`])).stdout.trim();

  const displayed = async () => (await desktop.exec('dunstctl', ['count', 'displayed'])).stdout.trim();

  test('never from get in a terminal, nor where nobody would see it, nor with notify = no', async () => {
    const { code } = await onTerminal(world, ['get', `--account=${name}`, '--show'], [], { env: desktop.env });
    assert.equal(code, 3);
    const quiet = `${name}-quiet`;
    world.account(quiet, { grant: 'device_code', client_auth: 'none', client_id: 'x', token_endpoint: 'https://example.com/token', notify: 'no' });
    assert.equal((await get(quiet)).code, 3);
    const { code: bare } = await world.exec('setsid', ['-w', world.program, 'notice', quiet], { env: desktop.env });
    assert.deepEqual([bare, shown()], [0, 0]);
  });

  test('once, however many ask at the same time, and its button starts the login', async () => {
    const person = world.browser({ user: undefined });
    const answers = await Promise.all(Array.from({ length: 6 }, () => get(name, person.env)));
    for (const { code, stderr } of answers) assert.deepEqual([code, /ringbearer login/.test(stderr)], [3, true], stderr);
    await until(() => shown() > 0);
    await until(async () => await notices(name) === '1'); // the others have seen that it is told
    assert.equal((await get(name, person.env)).code, 3);
    await until(async () => await notices(name) === '1');
    assert.equal(shown(), 1, shown.text());
    assert.match(shown.text(), new RegExp(`${name} gets no token until somebody logs in`));
    await until(async () => (await displayed()) === '1');
    await desktop.exec('dunstctl', ['action', '0']);
    await until(() => person.visits().length > 0);
    await until(async () => (await world.must(['list'])).stdout.includes('logged in'));
    await until(async () => (await get(name, person.env)).code === 0);
    assert.equal(shown(), 1);
  });

  test('after a login, the next one that ends is told again', async () => {
    assert.equal((await world.run(['logout', name])).code, 0);
    assert.equal((await get()).code, 3);
    await until(() => shown() === 2);
    await desktop.exec('dunstctl', ['close-all']);
    await until(async () => await notices(name) === '0');
  });
});
