// SPDX-License-Identifier: MIT
//
// Renewals with a refresh token that the server rotates, beside curl with a refresh token of its own; and
// callers who come while a renewal ahead of time is under way.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { DASHBOARD } from '../servers/fixtures.mjs';
import { writeMessage } from '../e2e/lib/message.mjs';
import { TOKEN_PATH, grantA } from '../e2e/lib/flows.mjs';
import { BUILD } from '../e2e/lib/builds.mjs';
import { addAccount } from '../e2e/lib/standing-grant.mjs';
import { storeExample } from '../e2e/lib/store-example.mjs';
import { Etcd, etcdMissing } from '../servers/etcd.mjs';
import { curlOptions } from './cases.mjs';

const ROTATING = `bench-rotating-${process.pid}`;
const AGEING = `bench-ageing-${process.pid}`;
const GRACE = 86400; // so long curl may send the same token, and is given another one each time
const LIFE = 14; // seconds of a token: due after half of them
const UNDER_WAY = 6; // and so many does the renewal take

export const CURL_REFRESH = 'curl, the same renewal';
export const ROTATION = 'ringbearer get, refresh token rotated';
export const WHOLE = 'ringbearer --version, the front and the whole program';
export const AHEAD = 'ringbearer get, renewal ahead under way';

const byAccount = (world, name) => [world.program, 'get', `--account=${name}`];
const erase = (world, account) => ({ argv: [world.program, 'erase'], input: writeMessage({ account }) });

const IN_STORE = (store) => `bench-rotating-${store}-${process.pid}`;
const STORES = ['file', 'command', 'etcd'];
const inStore = (store) => `${ROTATION}, store ${store}`;
// What is erased on one machine is still in the store that others share, and is looked at first; not by who wants another in any case. So
// the two are compared by this.
export const refreshIn = (store) => `ringbearer refresh, store ${store}`;
let etcd; // of three nodes, with their data in memory

// Sealed files; a shell script; and a store that machines share, which keeps the key of its values in files.
const accountIn = {
  async file(world) {
    await world.must(['store', 'init']);
    return { store: 'file' };
  },
  command: (world) => ({ store: 'command', store_command: storeExample(world) }),
  async etcd(world) {
    if (etcdMissing()) return undefined;
    etcd = await Etcd.start({ nodes: 3 });
    const keys = { ...etcd.keys, store_local: 'file' };
    const flags = Object.entries(keys).flatMap(([key, value]) => [value].flat().map((one) => `--${key.replaceAll('_', '-')}=${one}`));
    await world.must(['seal', 'new', ...flags]);
    return keys;
  },
};

// The same renewal with the other stores that keep a refresh token.
async function inOtherStores(world) {
  const rows = [];
  for (const store of STORES) {
    if (!fs.existsSync(path.join(BUILD, `helper/modules/.libs/store-${store}.so`))) continue;
    const account = IN_STORE(store);
    const keys = await accountIn[store](world);
    if (!keys) continue;
    await addAccount(world, account, keys);
    rows.push({ name: inStore(store), argv: byAccount(world, account), expect: 'password=', before: erase(world, account) });
    if (store !== 'command') rows.push({ name: refreshIn(store), argv: [world.program, 'refresh', account], expect: 'renewed', before: erase(world, account) });
  }
  return rows;
}

export async function rotations(world, curl) {
  await world.control.rotation({ mode: 'always', grace: GRACE });
  await addAccount(world, ROTATING);
  const { refresh_token } = await grantA(world);
  const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token, ...DASHBOARD });
  return [
    {
      name: CURL_REFRESH, argv: [curl, ...curlOptions(world), '--data', '@-', world.urls.a + TOKEN_PATH.a], input: form.toString(),
      expect: '"refresh_token":', before: erase(world, ROTATING),
    },
    { name: ROTATION, argv: byAccount(world, ROTATING), expect: 'password=', before: erase(world, ROTATING) },
    ...await inOtherStores(world),
  ];
}

// They are answered with the old token, or the measurement fails.
export async function ahead(world) {
  await world.control.ttl({ access: LIFE });
  await addAccount(world, AGEING, { renew_ahead: '50%' });
  const input = writeMessage({ account: AGEING, min_valid: 0 });
  const { code, stdout, stderr } = await world.run(['get'], { input });
  assert.equal(code, 0, stderr);
  await world.control.ttl({ access: 3600 });
  await world.control.fault({ kind: 'delay', seconds: UNDER_WAY, grant_type: 'refresh_token' });
  await pause(LIFE / 2 * 1000 + 1000);
  return [
    { name: WHOLE, argv: [world.program, '--version'], expect: 'ringbearer' },
    { name: AHEAD, argv: [world.program, 'get'], input, expect: /^password=.*$/m.exec(stdout)[0] },
  ];
}

export async function forgetRenewals(world) {
  for (const account of [ROTATING, AGEING, ...STORES.map(IN_STORE)]) await world.run(['logout', account], { timeout: 20000 });
  await etcd?.stop();
}
