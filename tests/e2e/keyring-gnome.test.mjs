// SPDX-License-Identifier: MIT
//
// gnome-keyring with its prompter on a display, and a person who answers it.

import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, test } from 'node:test';
import { closeWorld } from './lib/accounts.mjs';
import { missing, showPrompter, startDesktop } from './lib/desktop.mjs';
import { itemsOf } from './lib/keyring-items.mjs';
import { KEY, addKey, ask, askAfresh, assertRefused, keyAccount, unique } from './lib/small-accounts.mjs';
import { World } from './lib/world.mjs';

const interactive = { interactive: 'auto' };

async function onDesktop(keyring, work) {
  const world = await World.create({ keyring, servers: false, activation: true });
  try {
    const desktop = await startDesktop(world);
    await showPrompter(desktop);
    await work(world, desktop);
  } finally {
    await closeWorld(world);
  }
}

describe("gnome-keyring's prompter", { skip: missing('gnome-keyring-daemon', 'Xvfb', 'xdotool') }, () => {
  test('locked: no window where nobody may be asked; a person closes it, or answers in their own time', () => onDesktop('unlocked', async (world, desktop) => {
    const name = await addKey(world, unique('gnome'), { timeout: 1 });
    await world.keyring.lock();
    assertRefused(await askAfresh(world, name), 4, 'store_locked');
    await world.must(['list']);
    assert.deepEqual(await desktop.windows(), []);

    const closing = ask(world, { account: name, ...interactive });
    await desktop.type(/^Unlock/, '', 'Escape');
    assertRefused(await closing, 4, 'store_dismissed');

    const answering = ask(world, { account: name, ...interactive });
    await desktop.shows(/^Unlock/);
    await pause(1500); // the account has a second
    await desktop.type(/^Unlock/, 'password', 'Return');
    const { code, answer, stderr } = await answering;
    assert.deepEqual([code, answer.password, stderr], [0, KEY, '']);
  }));

  test('the first keyring is made by a person, for the first secret', () => onDesktop('empty', async (world, desktop) => {
    const name = unique('gnome-first');
    world.account(name, keyAccount);
    assert.equal((await ask(world, { account: name, api_key: KEY }, { verb: 'store' })).code, 4);
    assert.deepEqual(await desktop.windows(), []);
    const storing = ask(world, { account: name, api_key: KEY, ...interactive }, { verb: 'store' });
    await desktop.type(/./, 'password\tpassword', 'Return');
    const { code, stderr } = await storing;
    assert.deepEqual([code, stderr], [0, '']);
    assert.deepEqual((await itemsOf(world, name)).map(({ label }) => label), [`${name}: API key`]);
    assert.equal((await ask(world, { account: name })).answer.password, KEY);
  }));
});
