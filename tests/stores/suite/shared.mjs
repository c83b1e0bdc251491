// SPDX-License-Identifier: MIT
//
// The shared journal (protocol/module.h), asked of a store's operations by several machines. A store is described by
//
//     { name, keys, env, skip }      // as for suite.mjs; the keys go to the store as an account's would
//
// One that has no such operations is skipped by name.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CODES, Machine, undrivable } from './machine.mjs';

const RECORDS_MAX = 64;
const SHORT = 2; // seconds

export function sharedSuite(store) {
  describe(`the shared journal of ${store.name}`, { skip: store.skip || undrivable() }, () => {
    let a;
    let b;
    let counter = 0;
    before(async () => {
      [a, b] = await Promise.all([0, 1].map(() => Machine.start(store.keys, { env: store.env })));
    });
    after(() => Promise.all([a, b].map((machine) => machine?.stop())));

    // A test, with an item of its own that has a value.
    const journal = (title, body) => test(title, async (t) => {
      if (!a.shares) return t.skip(`${store.name} has no shared journal`);
      counter += 1;
      const account = `shared-${process.pid}-${Date.now().toString(36)}-${counter}`;
      for (const machine of [a, b]) await machine.do('item', account, 'refresh_token');
      await well(a.do('store', 'first'));
      try {
        return await body(t);
      } finally {
        await a.do('item', account, 'refresh_token');
        await a.do('erase');
      }
    });
    const is = async (code, promise) => {
      const answer = await promise;
      assert.equal(answer.code, code, answer.why);
      if (code !== 0) assert.ok(answer.why !== '' || code === CODES.absent, 'a reason is given');
      return answer;
    };
    const well = (promise) => is(CODES.ok, promise);
    const busy = (promise) => is(CODES.busy, promise);
    const view = (machine = b) => well(machine.do('view'));
    const names = ({ records }) => Object.keys(records).filter(Boolean).sort();
    const without = ({ ms, ...rest }) => rest;

    journal('a lease is not taken where a record says that it is not needed, and is where that is gone', async () => {
      await well(a.do('store_if', 0, 0, '-', 'keep', 'token-1=done', 60));
      const told = await busy(b.do('acquire', 'b', 60, 0, 'token-1'));
      assert.deepEqual([told.lease, told.value, names(told)], [0, 'first', ['token-1']]);
      const taken = await well(b.do('acquire', 'b', 60, 0, 'token-2'));
      assert.ok(taken.lease > 0);
      await busy(a.do('acquire', 'a', 60, 0, 'token-1'));
    });

    journal('a view is what is there, and the same from everywhere', async () => {
      const [one, two] = [await view(a), await view(b)];
      assert.equal(one.value, 'first');
      assert.ok(one.version > 0 && one.revision >= one.version);
      assert.deepEqual([one.lease, one.holder, names(one)], [0, undefined, []]);
      assert.deepEqual([two.value, two.version], [one.value, one.version]);
      await a.do('item', `none-${counter}`, 'refresh_token');
      const none = await view(a);
      assert.deepEqual([none.version, none.value, none.lease, names(none)], [0, undefined, 0, []]);
    });

    journal('a version is another with each value, and never one that was there before', async () => {
      const seen = new Set();
      const look = async () => {
        const { version } = await view();
        assert.ok(!seen.has(version), 'it is a new one');
        seen.add(version);
        return version;
      };
      let version = await look();
      for (const value of ['second', 'first', 'first']) {
        const changed = await well(a.do('store_if', 0, version, value, 'hold'));
        version = await look();
        assert.equal(changed.version, version);
      }
      await well(a.do('store', 'first'));
      await look();
      await well(a.do('erase'));
      await well(a.do('store', 'first'));
      await look();
    });

    journal('a lease is one machine\'s; the number grows each time it is taken', async () => {
      const mine = await well(a.do('acquire', 'machine-a', 30, 0));
      assert.deepEqual([mine.holder, mine.value], ['machine-a', 'first']);
      assert.ok(mine.lease > 0);
      const refused = await busy(b.do('acquire', 'machine-b', 30, 0));
      assert.deepEqual([refused.lease, refused.holder, refused.value], [mine.lease, 'machine-a', 'first']);
      await busy(a.do('acquire', 'machine-a', 30, 0));
      await well(a.do('store_if', mine.lease, 0, '-', 'release'));
      assert.deepEqual([(await view()).lease, (await view()).holder], [0, undefined]);
      const theirs = await well(b.do('acquire', 'machine-b', 30, 0));
      assert.ok(theirs.lease > mine.lease);
      assert.equal(theirs.holder, 'machine-b');
      await busy(a.do('keep', mine.lease));
      await busy(a.do('store_if', mine.lease, 0, 'mine', 'release'));
      assert.equal((await view()).lease, theirs.lease);
    });

    journal('of ten at once one has it', async () => {
      const crowd = await Promise.all(Array.from({ length: 8 }, () => Machine.start(store.keys, { env: store.env })));
      const { account } = { account: `crowd-${process.pid}-${Date.now().toString(36)}` };
      for (const machine of crowd) await machine.do('item', account, 'refresh_token');
      await well(crowd[0].do('store', 'x'));
      const answers = await Promise.all(crowd.map((machine, i) => machine.do('acquire', `machine-${i}`, 30, 0)));
      const first = answers.filter(({ code }) => code === 0);
      assert.equal(first.length, 1);
      assert.ok(answers.every(({ code, lease }) => (code === 0 || code === CODES.busy) && lease === first[0].lease));
      await crowd[0].do('erase');
      await Promise.all(crowd.map((machine) => machine.stop()));
    });

    journal('a lease is taken away from who is named, and from nobody else', async () => {
      const mine = await well(a.do('acquire', 'machine-a', 30, 0));
      await busy(b.do('acquire', 'machine-b', 30, mine.lease + 1000000));
      const theirs = await well(b.do('acquire', 'machine-b', 30, mine.lease));
      assert.ok(theirs.lease > mine.lease);
      assert.equal(theirs.holder, 'machine-b');
      await busy(b.do('acquire', 'machine-b', 30, mine.lease));
      await busy(a.do('keep', mine.lease));
      await busy(a.do('store_if', mine.lease, 0, '-', 'hold', 'mark=mine', 30));
      await well(b.do('store_if', theirs.lease, 0, '-', 'release'));
      await well(a.do('acquire', 'machine-a', 30, theirs.lease), 'whose it was has let it go');
    });

    journal('a lease ends by itself, no sooner than was said, unless it is kept', async () => {
      const mine = await well(a.do('acquire', 'machine-a', SHORT, 0));
      const begun = performance.now();
      await new Promise((resolve) => { setTimeout(resolve, SHORT * 600); });
      await well(a.do('keep', mine.lease));
      const kept = performance.now();
      let seen = await view();
      while (seen.lease === mine.lease) {
        assert.ok(performance.now() - kept < 15000, 'it ends');
        await well(b.do('wait', seen.revision, 10000));
        seen = await view();
      }
      assert.ok(performance.now() - begun > SHORT * 1600, 'it was kept');
      assert.equal(seen.lease, 0);
      await busy(a.do('keep', mine.lease));
      await busy(a.do('store_if', mine.lease, 0, 'late', 'release'));
      assert.ok((await well(b.do('acquire', 'machine-b', SHORT, 0))).lease > mine.lease);
      assert.equal((await view()).value, 'first');
    });

    journal('a change with a lease or a version that is over changes nothing', async () => {
      const mine = await well(a.do('acquire', 'machine-a', 30, 0));
      const version = (await well(a.do('store_if', mine.lease, mine.version, 'second', 'hold', 'mark=one', 30))).version;
      assert.ok(version > mine.version);
      const before_ = await view();
      await busy(a.do('store_if', mine.lease, mine.version, 'third', 'release', 'mark=two', 30, 'token=t', 0));
      await busy(a.do('store_if', mine.lease + 1000000, version, 'third', 'release', 'mark=-', 0));
      await busy(b.do('store_if', 0, mine.version, 'third', 'hold', 'mark=-', 0));
      const after_ = await view();
      assert.deepEqual([after_.value, after_.version, after_.lease, after_.records], ['second', version, mine.lease, before_.records]);
      await well(a.do('store_if', mine.lease, version, 'third', 'release', 'mark=-', 0, 'token=t', 0));
      const last = await view();
      assert.deepEqual([last.value, last.lease, names(last), last.records.token.value], ['third', 0, ['token'], 't']);
    });

    journal('records are put, replaced and dropped, and known by the step that wrote them', async () => {
      await well(a.do('store_if', 0, 0, '-', 'hold', 'one=1', 0, 'two=2', 300));
      const first = await view();
      assert.deepEqual([names(first), first.records.one.value, first.records.two.value], [['one', 'two'], '1', '2']);
      assert.ok(first.records.one.version > first.version && first.records.one.version <= first.revision);
      await well(a.do('store_if', 0, first.version, '-', 'hold', 'one=uno', 0, 'two=-', 0, 'none=-', 0));
      const second = await view();
      assert.deepEqual([names(second), second.records.one.value, second.version], [['one'], 'uno', first.version]);
      assert.ok(second.records.one.version > first.records.one.version);
    });

    journal('a record goes at its time, and the others stay', async () => {
      await well(a.do('store_if', 0, 0, '-', 'hold', 'short=x', SHORT, 'long=y', 300, 'ever=z', 0));
      const begun = performance.now();
      let seen = await view();
      assert.deepEqual(names(seen), ['ever', 'long', 'short']);
      while (seen.records.short) {
        assert.ok(performance.now() - begun < 15000, 'it goes');
        await well(b.do('wait', seen.revision, 10000));
        seen = await view();
      }
      assert.ok(performance.now() - begun > SHORT * 900, 'not before its time');
      assert.deepEqual(names(seen), ['ever', 'long']);
    });

    journal('what is kept or erased has no records of before, and the lease stays', async () => {
      const mine = await well(a.do('acquire', 'machine-a', 30, 0));
      for (const words of [['store', 'anew'], ['erase']]) {
        await well(a.do('store_if', 0, 0, '-', 'hold', 'mark=x', 60, 'token=y', 0));
        await well(b.do(...words));
        const seen = await view();
        assert.deepEqual([names(seen), seen.lease, seen.value], [[], mine.lease, words[1]]);
      }
      await well(a.do('keep', mine.lease));
    });

    journal(`an item has room for ${RECORDS_MAX} records and for long ones`, async () => {
      const many = Array.from({ length: RECORDS_MAX - 1 }, (_, i) => [`r${i}=${i}`, i % 2 ? 60 : 0]).flat();
      await well(a.do('store_if', 0, 0, '-', 'hold', ...many));
      await well(a.do('store_if', 0, 0, 'v*60000', 'hold', `${'n'.repeat(40)}=x*131072`, 60));
      const seen = await view();
      assert.equal(names(seen).length, RECORDS_MAX);
      assert.deepEqual([seen.value.length, seen.records['n'.repeat(40)].value.length], [60000, 131072]);
    });

    journal('who waits is told of a change, of an end, and when the time is over', async () => {
      const seen = await view();
      const changes = [['store_if', 0, 0, '-', 'hold', 'mark=x', 30], ['store', 'next'], ['erase']];
      let { revision } = seen;
      for (const words of changes) {
        const waiting = b.do('wait', revision, 20000);
        await well(a.do(...words));
        const begun = performance.now();
        await well(waiting);
        assert.ok(performance.now() - begun < 10000, 'it did not sit out its time');
        const next = await view();
        assert.ok(next.revision > revision);
        revision = next.revision;
      }
      await well(a.do('store', 'again')); // what came before the wait counts
      const begun = performance.now();
      await well(b.do('wait', revision, 20000));
      assert.ok(performance.now() - begun < 10000);
      const idle = performance.now();
      await well(b.do('wait', (await view()).revision, 300));
      assert.ok(performance.now() - idle < 5000);
    });

    journal('neighbours are left alone', async () => {
      const account = `near-${process.pid}-${counter}`;
      for (const name of [account, `${account}0`, `${account}.x`, `x${account}`]) {
        await a.do('item', name, 'refresh_token');
        await well(a.do('store', name));
        await well(a.do('store_if', 0, 0, '-', 'hold', 'mark=x', 60));
      }
      for (const kind of ['client_secret', 'refresh_token']) {
        await a.do('item', account, kind);
        await well(a.do('store', 'changed'));
        await well(a.do('erase'));
      }
      for (const name of [`${account}0`, `${account}.x`, `x${account}`]) {
        await a.do('item', name, 'refresh_token');
        const seen = await view(a);
        assert.deepEqual([seen.value, names(seen)], [name, ['mark']]);
        await well(a.do('erase'));
      }
    });

    journal('counting up at the same time loses nothing', async () => {
      await well(a.do('store', '0'));
      const count = async (machine) => {
        for (let done = 0; done < 10;) {
          const { value, version } = await view(machine);
          const { code } = await machine.do('store_if', 0, version, Number(value) + 1, 'hold');
          assert.ok(code === 0 || code === CODES.busy);
          done += code === 0;
        }
      };
      await Promise.all([count(a), count(b)]);
      assert.equal((await view()).value, '20');
      assert.deepEqual(without(await well(a.do('lookup'))).value, '20');
    });
  });
}
