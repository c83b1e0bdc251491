// SPDX-License-Identifier: MIT
//
// A login that many machines share, when the worst happens to one of them, or to the store: everybody at once at the moment of expiry;
// the machine that renews killed, or asleep until its lease is another's, at each of its system calls; the store's leader dead, all
// of its nodes, one cut off, its disk full. The server ends a login when a refresh token comes twice.
//
// FAULT_RUNS=all takes every system call, FAULT_MACHINES and FAULT_CALLERS say how many they are. Otherwise it is a sample.

import assert from 'node:assert/strict';
import http from 'node:http';
import { after, afterEach, before, describe, test } from 'node:test';
import { agreed, crowd } from '../e2e/lib/crowd.mjs';
import { Fleet, NAME, obstacle } from '../e2e/lib/fleet.mjs';
import { assertWorks, refreshes, seen, worksAtApi } from '../e2e/lib/standing-grant.mjs';
import { World } from '../e2e/lib/world.mjs';
import { Etcd, etcdMissing } from '../servers/etcd.mjs';
import { evenly, getUnderFire, obstacle as noKiller, parkedSize } from './lib/killer.mjs';
import { table } from './lib/table.mjs';

const EVERY = process.env.FAULT_RUNS === 'all';
const MACHINES = Number(process.env.FAULT_MACHINES ?? (EVERY ? 8 : 4));
const CALLERS = Number(process.env.FAULT_CALLERS ?? (EVERY ? 25 : 10)); // of each machine
const KEYS = { account: NAME, capability: ['authtype', 'error'] };
const skip = obstacle() ?? etcdMissing();
const INVALIDATE = '21'; // keyctl(2)
const BEFORE = 100; // calls before the last words, when it is known what they are
const CLASSES = {
  before: 'before the service saw it', sent: 'sent, no answer in safety', parked: 'answer parked here', stored: 'stored and shared',
};

describe('machines that share a login', { skip }, () => {
  let world;
  let etcd;
  let fleet;
  before(async () => {
    [world, etcd] = await Promise.all([World.create({ keyring: 'nobus' }), Etcd.start({ nodes: 3 })]);
    fleet = await Fleet.create(world, etcd.keys, Math.max(3, MACHINES));
    await fleet.logIn();
  });
  after(async () => {
    await fleet?.close();
    await etcd?.stop();
    await world?.close();
  });
  afterEach(() => world.control.clearFaults());

  test(`${MACHINES} machines with ${CALLERS} callers each, at the moment of expiry: one request, one token`, async (t) => {
    await fleet.age();
    let results;
    const began = performance.now();
    const counts = await seen(world, async () => {
      results = (await Promise.all(fleet.machines.slice(0, MACHINES).map((machine) => crowd(machine, CALLERS, KEYS)))).flat();
    });
    const ended = Date.now();
    t.diagnostic(`${results.length} callers on ${MACHINES} machines: ${counts.requests} request, ${Math.round(performance.now() - began)} ms in all, ${ended - new Date((await world.control.log()).findLast(({ endpoint }) => endpoint === 'token').at).getTime()} ms after the service had it`);
    assert.deepEqual(counts, { requests: 1, twice: 0, refused: 0 });
    await assertWorks(world, { ...results[0], answer: { credential: agreed(results) } });
  });

  describe('one of them', { skip: noKiller() }, () => {
    const sections = {};
    let calls; // from the lock on, and from the mark on, of a run that nothing befell
    let marked;
    let whole; // bytes of a parked answer

    async function measure(from) {
      await fleet.age();
      const run = await getUnderFire(fleet.machines[0], NAME, { from });
      assert.equal(run.code, 0, run.stderr);
      whole = parkedSize(run.calls);
      return run.calls.at(-1).number;
    }

    before(async () => {
      calls = await measure('lock');
      marked = await measure('mark');
    });

    // Where things are: what the service has seen of RUN, what is parked, and whether the store has another refresh token.
    const storedAt = async () => Object.entries(await etcd.dump()).find(([key]) => key.includes('/refresh_token/') && key.endsWith('/value'))[1].mod;

    function classOf(requests, stored, parked) {
      if (stored) return 'stored';
      if (requests === 0) return 'before';
      return parked >= whole - 16 ? 'parked' : 'sent';
    }

    // Machine 0 meets OPTIONS at a call. The lease is over then, the others go on, and it does.
    async function trial({ from, at }, options, { look, between } = {}) {
      const [one, two, three] = fleet.machines;
      await fleet.age();
      const [stored, { total }] = [await storedAt(), await refreshes(world)];
      let [run, phase, results] = [];
      const where = async (parked) => classOf((await refreshes(world)).total - total, await storedAt() !== stored, parked);
      const counts = await seen(world, async () => {
        look?.(async () => { phase = await where(0); });
        run = await getUnderFire(one, NAME, { from, at, ...options });
        phase ??= await where(parkedSize(run.calls));
        await between?.();
        results = [await two.get(), await one.get(), await two.get(), await three.get()];
      });
      const last = results.at(-1);
      const works = await worksAtApi(world, last);
      if (!works) await fleet.logIn();
      const errors = results.map(({ answer }) => answer.error ?? 'ok').join(' ');
      return { from, at, fired: run.fired, code: run.code, class: phase, works, ...counts, errors, stderr: last.stderr };
    }

    // All from the mark on, and some of those before, which are alike.
    const points = (early, late) => [
      ...evenly(EVERY ? 60 : early, calls - marked).map((at) => ({ from: 'lock', at })),
      ...evenly(EVERY ? marked : late, marked).map((at) => ({ from: 'mark', at })),
    ];

    test('killed, its lease over: the login lives on the others', async () => {
      const outcomes = [];
      for (const point of points(1, 5)) outcomes.push(await trial(point, { signal: 9 }, { between: () => etcd.endLeases() }));
      sections.killed = outcomes.filter(({ fired }) => fired !== undefined);
      const ill = sections.killed.filter((one) => one.class !== 'sent' && (!one.works || one.twice > 0 || one.refused > 0));
      assert.deepEqual(ill, []);
    });

    test('asleep until its lease is another\'s, and going on then: no token comes twice, and the newest stays', async () => {
      const outcomes = [];
      const [, two] = fleet.machines;
      let note;
      const server = http.createServer(async (request, response) => {
        await note();
        await etcd.endLeases();
        const { answer } = await two.get();
        response.end(`${answer.error ?? 'ok'}\n`);
      });
      await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
      const command = `curl -s http://127.0.0.1:${server.address().port}/ >/dev/null`;
      try {
        for (const point of points(1, 5)) outcomes.push(await trial(point, { command }, { look: (noting) => { note = noting; } }));
      } finally {
        server.close();
      }
      sections.asleep = outcomes.filter(({ fired }) => fired !== undefined);
      assert.deepEqual(sections.asleep.filter((one) => !one.works || one.twice > 0 || one.refused > 0), []);
    });

    test('killed when the store had it and its own memory did not know yet: it leaves the mark of who is under way by now alone', async () => {
      const [one, two] = fleet.machines;
      await fleet.age();
      const { calls } = await getUnderFire(one, NAME, { from: 'mark' });
      const { number } = calls.find(({ name, result, detail }) => name === 'keyctl' && result === 0 && detail[0] === INVALIDATE);
      await fleet.age();
      assert.ok((await getUnderFire(one, NAME, { from: 'mark', at: number })).fired);
      const { waiting } = await fleet.meanwhile(() => two.must(['refresh', NAME]), 2);
      const isMarked = async () => Object.keys(await etcd.dump()).some((key) => key.endsWith('/record/mark'));
      one.lose();
      assert.equal((await one.get()).code, 0);
      assert.ok(await isMarked(), 'the other is under way');
      await waiting;
      assert.ok(!await isMarked());
    });

    test('refused while a person logs in on another: nobody is told of the refusal of the old login', async () => {
      const [one, two, three] = fleet.machines;
      await fleet.age();
      await world.control.withdraw();
      const { calls, answer } = await getUnderFire(one, NAME, { from: 'mark' });
      assert.equal(answer.error, 'login_required');
      const { number } = calls.findLast(({ name, result }) => name === 'sendto' && result > 256); // the last words
      const server = http.createServer(async (request, response) => {
        await fleet.logIn(two);
        response.end('done\n');
      });
      await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
      try {
        await fleet.logIn();
        await fleet.age();
        await world.control.withdraw();
        const { fired } = await getUnderFire(one, NAME, { from: 'mark', at: number - BEFORE, command: `curl -s http://127.0.0.1:${server.address().port}/ >/dev/null` });
        assert.ok(fired);
        assert.equal((await three.get()).answer.error, undefined);
      } finally {
        server.close();
      }
    });

    test('all of it in a table', (t) => {
      for (const line of table(sections, CLASSES)) t.diagnostic(line);
      if (process.env.FAULT_SHOW) for (const [name, those] of Object.entries(sections)) for (const one of those) t.diagnostic(`${name} ${JSON.stringify(one)}`);
    });
  });

  describe('the store', () => {
    const ill = {
      'its leader dies': { code: [0, 4], async begin() { const leader = await etcd.leader(); await leader.kill(); return leader; }, async end(leader) { await leader.start(); } },
      'all of its nodes stop': { code: [4], async begin() { for (const node of etcd.nodes) node.pause(); }, async end() { for (const node of etcd.nodes) node.resume(); } },
      'one of its nodes is cut off': {
        code: [0], async begin() { const leader = await etcd.leader(); const node = etcd.nodes.find((each) => each !== leader); node.pause(); return node; }, async end(node) { node.resume(); },
      },
      'its disk is full': { code: [4], begin: () => etcd.fill(), end: () => etcd.relieve() },
    };

    async function well() {
      await Promise.all(etcd.nodes.map((node) => node.up()));
      await etcd.leader();
    }

    for (const [what, { code, begin, end }] of Object.entries(ill)) {
      test(`${what} while the service works: the token goes out, and nothing is lost`, async (t) => {
        const [one, two, three] = fleet.machines;
        await fleet.age();
        const counts = await seen(world, async () => {
          const { waiting } = await fleet.meanwhile(() => one.get());
          const node = await begin();
          const result = await waiting;
          t.diagnostic(`exit ${result.code}, ${Math.round(result.ms)} ms: ${result.stderr.trim()}`);
          assert.ok(code.includes(result.code), `exit ${result.code}: ${result.stderr}`);
          assert.ok(await worksAtApi(world, { ...result, code: 0 }), 'the token works');
          const cached = await one.get();
          assert.equal(cached.answer.credential, result.answer.credential, 'what is cached is served meanwhile');
          await end(node);
          await well();
          assert.equal((await one.get()).code, 0);
          for (const machine of [two, three]) assert.equal((await machine.get()).answer.credential, result.answer.credential);
        });
        assert.deepEqual(counts, { requests: 1, twice: 0, refused: 0 });
      });

      test(`${what} before anything was sent: a token, or a line that says what to do`, async (t) => {
        const [one, two] = fleet.machines;
        await fleet.age();
        const counts = await seen(world, async () => {
          const node = await begin();
          const result = await one.get();
          t.diagnostic(`exit ${result.code}, ${Math.round(result.ms)} ms: ${result.stderr.trim()}`);
          assert.ok(code.includes(result.code), `exit ${result.code}: ${result.stderr}`);
          if (result.code !== 0) assert.match(result.stderr, /^ringbearer: [^\n]*etcd[^\n]*; [^\n]+\n$/);
          await end(node);
          await well();
          agreed([await two.get(), await one.get()]);
        });
        assert.deepEqual(counts, { requests: 1, twice: 0, refused: 0 });
      });
    }
  });

  test('who asks for another resource each time stands in nobody\'s way', { skip: !EVERY && 'seventy renewals: only with FAULT_RUNS=all' }, async () => {
    for (let i = 0; i < 70; i += 1) {
      const { code, stderr } = await fleet.machines[0].get({ resource: `https://api-${i}.example.com/` });
      assert.equal(code, 0, stderr);
    }
    const { code, stderr } = await fleet.machines[1].get();
    assert.equal(code, 0, stderr);
  });

  // What waiting costs the store. Each machine asks it once for all of its callers.
  test('the store is asked as often by each machine, however many there are', async (t) => {
    const most = [];
    for (const count of EVERY ? [1, 10, 100] : [1, Math.max(3, MACHINES)]) {
      fleet.grow(count);
      await fleet.age();
      await world.control.fault({ kind: 'delay', seconds: 1 });
      const results = await Promise.all(fleet.machines.slice(0, count).map((machine) => machine.get({}, { env: { RINGBEARER_TRACE: '1' } })));
      agreed(results);
      const requests = results.map(({ stderr }) => stderr.match(/POST \S+\/v3\//g).length);
      const renewed = results.map(({ stderr }) => stderr.includes('/oauth/token'));
      const [renewal] = requests.filter((_, i) => renewed[i]);
      const waiters = requests.filter((_, i) => !renewed[i]).sort((a, b) => a - b);
      assert.equal(requests.length - waiters.length, 1);
      t.diagnostic(`${count} machines: ${renewal} requests to the store by the renewal, ${waiters.length ? `${waiters[0]} to ${waiters.at(-1)} (median ${waiters[waiters.length >> 1]})` : 'none'} by each that waits`);
      most.push(waiters.at(-1) ?? 0);
    }
    assert.ok(most.at(-1) <= 12, `${most}`);
  });
});
