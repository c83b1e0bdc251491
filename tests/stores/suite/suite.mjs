// SPDX-License-Identifier: MIT
//
// What every store has to do, asked of it through the program. A store is described by
//
//     { name,           // for the titles
//       keys,           // account keys that choose it: { store: 'my_vault' }
//       env,            // what the program needs beside them
//       world,          // options of World.create
//       skip,           // why it cannot be tried here, or false
//       open(world) }   // makes the store ready; may answer { lock, unlock, vanish, come }, functions
//
// lock() has it ask a person first, vanish() takes it away; unlock() and come() undo that. A store that cannot be locked or
// taken away leaves them out, and these tests are skipped by name.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { closeWorld } from '../../e2e/lib/accounts.mjs';
import { PLACE, ask, askAfresh, assertRefused, unique } from '../../e2e/lib/small-accounts.mjs';
import { World } from '../../e2e/lib/world.mjs';

const ENDPOINT = 'https://login.example.test/token';
const WRITERS = 32;
const LARGE = 60000;
// What a token may be made of; shifted by one and two, so that all of base64's letters come up.
const PRINTABLE = Array.from({ length: 0x7f - 0x21 }, (_, i) => String.fromCharCode(0x21 + i)).join('');
const ODD = [PRINTABLE, `x${PRINTABLE}`, `xx${PRINTABLE}`, '-', '%41%00', '{REF:P@T:x}$HOME`id`', 'key=value', '#comment', 'k'.repeat(LARGE)];

export function storeSuite(store) {
  describe(`the store ${store.name}`, { skip: store.skip }, () => {
    let world;
    let ways;
    let counter = 0;
    before(async () => {
      world = await World.create({ servers: false, ...store.world, env: store.env });
      ways = await store.open?.(world) ?? {};
    });
    after(() => closeWorld(world));

    // An account of its own; nothing is stored for it yet.
    function fresh(extra = {}) {
      counter += 1;
      const name = unique(`suite-${counter}`);
      edited(name, extra);
      return name;
    }
    const edited = (name, extra = {}) => world.account(name, {
      provider: 'oauth2', grant: 'api_key', client_id: 'suite', token_endpoint: ENDPOINT, match: PLACE, ...store.keys, ...extra,
    });
    const put = (account, secrets) => ask(world, { account, ...secrets }, { verb: 'store' });
    const drop = (account, secret) => ask(world, { account, secret }, { verb: 'erase' });
    const kept = async (account) => (await askAfresh(world, account)).answer.password;
    const done = (result) => assert.deepEqual([result.code, result.stderr], [0, '']);
    async function holding(value = 'the-key') {
      const name = fresh();
      done(await put(name, { api_key: value }));
      return name;
    }
    const absent = async (account) => assertRefused(await askAfresh(world, account), 4, 'no_secret');

    test('absent is absent, and can be erased', async () => {
      const name = fresh();
      await absent(name);
      done(await drop(name, 'api_key'));
      done(await drop(name, 'all'));
    });

    test('what is kept is read back, replaced and erased', async () => {
      const name = await holding('first');
      assert.equal(await kept(name), 'first');
      for (const value of ['second', 'first']) {
        done(await put(name, { api_key: value }));
        assert.equal(await kept(name), value);
      }
      done(await drop(name, 'api_key'));
      await absent(name);
      done(await put(name, { api_key: 'again' }));
      assert.equal(await kept(name), 'again');
    });

    test('the kinds stand beside each other', async () => {
      const name = await holding('of-the-key');
      done(await put(name, { client_secret: 'of the client' }));
      done(await put(name, { refresh_token: 'of the login' }));
      assert.equal(await kept(name), 'of-the-key');
      done(await drop(name, 'refresh_token'));
      done(await drop(name, 'client_secret'));
      assert.equal(await kept(name), 'of-the-key');
      done(await drop(name, 'all'));
      await absent(name);
    });

    test('a secret is bound to account, client and place', async () => {
      const name = await holding();
      for (const other of [{ client_id: 'another' }, { match: 'https://other.example.test/' }, { match: [PLACE, 'https://other.example.test/'] }]) {
        edited(name, other);
        await absent(name);
      }
      edited(name);
      assert.equal(await kept(name), 'the-key');
      await absent(fresh());
    });

    test('neighbours are left alone: names that begin alike, end alike or hold a dot', async () => {
      const name = await holding('mine');
      const near = [`${name}0`, `${name}.api_key`, `x${name}`, `${name}@x`];
      for (const each of near) {
        edited(each);
        await absent(each);
        done(await put(each, { api_key: each }));
      }
      done(await drop(name, 'all'));
      for (const each of near) assert.equal(await kept(each), each);
    });

    test('odd values go there and back', async () => {
      const name = fresh();
      for (const value of ODD) {
        done(await put(name, { api_key: value }));
        const { stdout } = await world.run(['token', name]);
        assert.ok([`${value}\n`, ''].includes(stdout), 'nothing else is handed out');
        assert.equal(await kept(name), value);
      }
    });

    test('list names what is there, and no value', async () => {
      const name = fresh({ grant: 'authorization_code', authorization_endpoint: 'https://login.example.test/auth' });
      const listed = async () => JSON.parse((await world.must(['list', '--json'])).stdout).find((each) => each.account === name);
      assert.equal((await listed()).logged_in, false);
      done(await put(name, { refresh_token: 'do-not-show-this' }));
      assert.equal((await listed()).logged_in, true);
      assert.ok(!(await world.must(['list'])).stdout.includes('do-not-show-this'));
      done(await drop(name, 'refresh_token'));
      assert.equal((await listed()).logged_in, false);
    });

    test('remove leaves nothing', async () => {
      const name = await holding();
      done(await put(name, { client_secret: 'left over' }));
      await world.must(['remove', name]);
      edited(name);
      await absent(name);
    });

    test(`${WRITERS} writers at once: one of their values, whole, and nothing beside it`, async () => {
      const name = await holding();
      const values = Array.from({ length: WRITERS }, (_, i) => `${i}-`.repeat(300 + i));
      for (const result of await Promise.all(values.map((value) => put(name, { api_key: value })))) done(result);
      assert.ok(values.includes(await kept(name)));
      done(await drop(name, 'api_key'));
      await absent(name);
    });

    test('locked is neither absent nor unavailable, and nothing is changed', async (t) => {
      if (!ways.lock) return t.skip(`${store.name} cannot be locked`);
      const name = await holding();
      await ways.lock();
      assertRefused(await askAfresh(world, name), 4, 'store_locked');
      for (const result of [await put(name, { api_key: 'other' }), await drop(name, 'api_key')]) assert.equal(result.code, 4, result.stderr);
      await world.must(['list']);
      await ways.unlock();
      return assert.equal(await kept(name), 'the-key');
    });

    test('unavailable is neither absent nor locked, and nothing is lost', async (t) => {
      if (!ways.vanish) return t.skip(`${store.name} cannot be taken away`);
      const name = await holding();
      await ways.vanish();
      assertRefused(await askAfresh(world, name), 4, 'store_unavailable');
      for (const result of [await put(name, { api_key: 'other' }), await drop(name, 'api_key')]) assert.equal(result.code, 4, result.stderr);
      await world.must(['list']);
      await ways.come();
      return assert.equal(await kept(name), 'the-key');
    });
  });
}
