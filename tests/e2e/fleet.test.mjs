// SPDX-License-Identifier: MIT
//
// One login on several machines, over a real etcd: who asks the service, what the others get, and what is said when the store is
// away. What happens to machines that die or sleep in between is in faults/fleet.test.mjs.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { compile } from './lib/builds.mjs';
import { crowd, agreed } from './lib/crowd.mjs';
import { Fleet, NAME, obstacle } from './lib/fleet.mjs';
import { writeAccount } from './lib/message.mjs';
import { block } from './lib/readme.mjs';
import { accountKeys, assertWorks, refreshes, seen, tokensSent } from './lib/standing-grant.mjs';
import { World } from './lib/world.mjs';
import { DASHBOARD } from '../servers/fixtures.mjs';
import { Etcd, etcdMissing } from '../servers/etcd.mjs';

const LAUNCHER = fileURLToPath(new URL('lib/launcher.c', import.meta.url));
const skip = obstacle() ?? etcdMissing();
const KEYS = { account: NAME, capability: ['authtype', 'error'] };

describe('a login that three machines share', { skip }, () => {
  let world;
  let etcd;
  let fleet;
  let one;
  let two;
  let three;
  before(async () => {
    [world, etcd] = await Promise.all([World.create({ keyring: 'nobus' }), Etcd.start()]);
    fleet = await Fleet.create(world, etcd.keys, 3);
    [one, two, three] = fleet.machines;
    await fleet.logIn();
  });
  after(async () => {
    await fleet?.close();
    await etcd?.stop();
    await world?.close();
  });
  afterEach(() => world.control.clearFaults());

  // How many requests with a refresh token BODY makes the service see; none of them came twice.
  async function asked(body) {
    const { requests, twice, refused } = await seen(world, body);
    assert.deepEqual([twice, refused], [0, 0], 'no token came twice, none was refused');
    return requests;
  }

  test('what one of them gets is everybody\'s, and the service is asked once', async () => {
    let results;
    assert.equal(await asked(async () => {
      results = [await one.get(), await two.get(), await three.get()];
    }), 1);
    agreed(results);
    await assertWorks(world, results[2]);
  });

  test('a machine that has lost its token has it from the others', async () => {
    assert.equal(await asked(async () => {
      fleet.loseAll();
      agreed(await Promise.all([one.get(), two.get(), three.get()]));
    }), 0);
  });

  test('all at once, when it has ended: one request', async () => {
    await fleet.age();
    let results;
    assert.equal(await asked(async () => {
      results = (await Promise.all(fleet.machines.map((machine) => crowd(machine, 5, KEYS)))).flat();
    }), 1);
    agreed(results);
    await assertWorks(world, results[0]);
  });

  test('while the service takes its time, the others wait for it', async () => {
    await fleet.age();
    await world.control.fault({ kind: 'delay', seconds: 1 });
    let results;
    assert.equal(await asked(async () => {
      results = await Promise.all(fleet.machines.map((machine) => machine.get()));
    }), 1);
    agreed(results);
  });

  test('a token that was refused is replaced for all', async () => {
    const refused = (await one.get()).answer.credential;
    let results;
    assert.equal(await asked(async () => {
      results = [];
      for (const machine of fleet.machines) {
        await machine.request({ account: NAME, credential: refused, authtype: 'Bearer' }, { verb: 'erase' });
        results.push(await machine.get());
      }
    }), 1);
    assert.notEqual(agreed(results), refused);
  });

  test('`refresh` asks the service, whoever has a token', async () => {
    assert.equal(await asked(() => two.must(['refresh', NAME])), 1);
    fleet.loseAll();
    assert.equal(await asked(async () => agreed([await two.get(), await three.get()])), 0);
  });

  test('what the service says no to is said on the others without asking it', async () => {
    await fleet.age();
    await world.control.withdraw();
    const { total } = await refreshes(world);
    const results = [await one.get(), await two.get(), await three.get()];
    assert.deepEqual(results.map(({ answer }) => answer.error), Array(3).fill('login_required'), results[1].stderr);
    assert.equal((await refreshes(world)).total - total, 1);
    await fleet.logIn(two);
    assert.equal(await asked(async () => agreed(await Promise.all(fleet.machines.map((machine) => machine.get())))), 1);
  });

  test('a login while another machine waits for its answer is the newer one, and stays', async () => {
    const { waiting } = await fleet.underWay();
    const { refresh_token: newest } = await fleet.logIn(two);
    assert.equal((await waiting).code, 0);
    fleet.loseAll();
    await assertWorks(world, await three.get());
    assert.equal((await tokensSent(world)).at(-1), newest);
  });

  test('the store goes away after the answer came: the token goes out, exit 4, and the next run puts it there', async () => {
    const { waiting } = await fleet.underWay();
    await etcd.nodes[0].kill();
    const result = await waiting;
    assert.deepEqual([result.code, typeof result.answer.credential], [4, 'string'], result.stderr);
    assert.match(result.stderr, /the next refresh token is not in the store yet .*waits in memory/);

    const cached = await one.get();
    assert.equal(cached.answer.credential, result.answer.credential);
    const other = await three.get();
    assert.equal(other.code, 4, other.stderr);
    assert.match(other.stderr, /^ringbearer: [^\n]*etcd[^\n]*; [^\n]+\n$/);

    await etcd.nodes[0].start();
    await etcd.nodes[0].up();
    assert.equal(await asked(async () => {
      const results = [await one.get(), await two.get(), await three.get()];
      agreed(results);
      assert.equal(results[0].answer.credential, result.answer.credential);
      assert.deepEqual(results.map(({ code }) => code), [0, 0, 0], results[0].stderr);
    }), 0);
    fleet.loseAll();
    assert.equal(await asked(() => two.must(['refresh', NAME])), 1);
  });

  test('a logout on another machine is final, whatever waits in the memory of this one', async () => {
    const { waiting } = await fleet.underWay();
    await etcd.nodes[0].kill();
    assert.equal((await waiting).code, 4);
    await etcd.nodes[0].start();
    await etcd.nodes[0].up();
    await two.must(['erase'], { input: `account=${NAME}\nsecret=refresh_token\n\n` });
    fleet.loseAll();
    for (const machine of [one, three]) assert.equal((await machine.get()).answer.error, 'login_required');
    await fleet.logIn(three);
    fleet.loseAll();
    assert.equal(await asked(async () => agreed([await one.get(), await two.get()])), 1);
  });

  test('a token that is too long to be shared does not keep the next refresh token out of the store', async () => {
    await world.control.fault({ kind: 'long', members: { access_token: 65500, scope: 65500 } });
    const { code, stderr } = await one.run(['refresh', NAME]);
    assert.equal(code, 0, stderr);
    assert.equal(await asked(() => two.must(['refresh', NAME])), 1);
  });

  test('a logout while another machine renews revokes what that gets', async () => {
    const { waiting } = await fleet.underWay();
    const { code, stderr } = await two.run(['logout', NAME]);
    assert.deepEqual([code, (await waiting).code, stderr], [0, 0, '']);
    const [used] = (await tokensSent(world)).slice(-1);
    const revoked = (await world.control.log()).filter(({ endpoint, body }) => endpoint === 'revoke' && body).map(({ body }) => new URLSearchParams(body))
      .findLast((form) => form.get('token_type_hint') === 'refresh_token').get('token');
    assert.notEqual(revoked, used, 'not the one that was used up');
    assert.equal((await three.get()).answer.error, 'login_required');
    await fleet.logIn();
  });

  test('a machine that died while it asked and has lost its memory does not ask with the same token again', async () => {
    const launcher = path.join(one.dir, 'launcher');
    await compile('-O', '-D_GNU_SOURCE', '-o', launcher, LAUNCHER);
    one.confine(launcher);
    const { waiting: dying } = await fleet.underWay();
    const { length } = await tokensSent(world);
    one.kill();
    await dying;
    one.forget();
    await etcd.endLeases();
    const { answer, stderr } = await one.get();
    assert.equal(answer.error, 'rotation_uncertain', stderr);
    assert.match(stderr, /^ringbearer: [^\n]*the machine \S+ was cut off/);
    assert.equal((await tokensSent(world)).length, length);
    await fleet.logIn();
  });

  test('a login is not carried away while another machine renews it', async () => {
    const { waiting } = await fleet.underWay();
    const { code, stderr } = await two.run(['move', NAME, '--store=file']);
    assert.equal((await waiting).code, 0);
    assert.notEqual(code, 0);
    assert.match(stderr, /^ringbearer: [^\n]*is renewing this login; nothing was changed, try again\n$/);
    const alone = await two.must(['move', NAME, '--store=file']);
    assert.match(alone.stderr, new RegExp(`^ringbearer: ${NAME}: other machines can no longer use this login; [^\n]*\`ringbearer move ${NAME} --store=etcd\`[^\n]*\n$`));
    two.lose();
    assert.equal(await asked(async () => assertWorks(world, await two.get())), 1);
    // A copy of it on another machine, which moves as well when the first has renewed.
    const copy = (folder) => fs.cpSync(path.join(two.env[folder], 'ringbearer'), path.join(three.env[folder], 'ringbearer'), { recursive: true });
    copy('XDG_STATE_HOME');
    copy('XDG_CONFIG_HOME');
    three.use(fleet.keys);
    const move = ['move', NAME, '--store=etcd', ...etcd.nodes.map(({ url }) => `--store-endpoint=${url}`)];
    await two.must(move);
    await two.must(['refresh', NAME]);
    assert.match((await three.must(move)).stderr, /has this account's secrets from another machine already, which stay and will be used/);
    fleet.loseAll();
    assert.equal(await asked(async () => agreed([await three.get(), await two.get()])), 0);
    assert.equal(await asked(() => three.must(['refresh', NAME])), 1);
    // To another place that machines share, and back.
    const at = (prefix) => three.must(['move', NAME, '--store=etcd', `--store-prefix=${prefix}`]);
    await three.must(['seal', 'new', '--store=etcd', '--store-prefix=/elsewhere/']);
    assert.match((await at('/elsewhere/')).stderr, /other machines can no longer use this login until it is moved on them as well; run the same there$/m);
    await at('/ringbearer/');
    assert.equal(await asked(() => two.must(['refresh', NAME])), 1);
  });

  test('a machine without the key is told so', async () => {
    const secrets = path.join(three.env.XDG_STATE_HOME, 'ringbearer/secrets');
    fs.renameSync(secrets, `${secrets}.away`);
    try {
      three.lose();
      const { code, stderr } = await three.get();
      assert.equal(code, 4, stderr);
      assert.match(stderr, /ringbearer seal import/);
    } finally {
      fs.renameSync(`${secrets}.away`, secrets);
    }
  });

  test('list and doctor say how it stands', async () => {
    await two.get();
    const { stdout } = await two.run(['doctor', NAME]);
    assert.match(stdout, /etcd/);
    assert.match(stdout, /nobody has it/);
    assert.doesNotMatch(stdout, /no login to renew/);
    await one.must(['erase'], { input: `account=${NAME}\nsecret=refresh_token\n\n` });
    assert.match((await two.run(['doctor', NAME])).stdout, /a token is cached, and there is no login to renew it with$/m);
    await fleet.logIn();
  });
});

describe('as the README says', { skip }, () => {
  let world;
  let etcd;
  let fleet;
  before(async () => {
    [world, etcd] = await Promise.all([World.create({ keyring: 'nobus' }), Etcd.start({ clientCertificates: false })]);
    fleet = Fleet.bare(world, 2);
  });
  after(async () => {
    await fleet?.close();
    await etcd?.stop();
    await world?.close();
  });

  test('the key is made on one machine, goes to the other over ssh, and both have the login', async () => {
    const [a, b] = fleet.machines;
    const early = await a.run(['seal', 'new']);
    assert.equal(early.code, 4);
    assert.match(early.stderr, /no keyring: .*; or run `ringbearer store init`, and write `store_local = file` into \/.*\/defaults\n$/);
    const lines = block('fleet-defaults').replaceAll(/store_endpoint = .*\n/g, '').replace('store = etcd\n', `store = etcd\nstore_endpoint = ${etcd.nodes[0].url}\nca_file = ${world.caFile}\n`);
    const { redirect_uri: unused, ca_file, ...keys } = accountKeys(world); // eslint-disable-line no-unused-vars
    const redirect = `http://127.0.0.1:${await World.freePort()}/callback`;
    await world.control.app({ client_id: DASHBOARD.client_id, redirect_uris: [redirect] });
    for (const machine of [a, b]) {
      machine.defaults(lines.replace('/etc/ringbearer/etcd.pem', machine.copyOf(etcd.file('ca.pem'))).replace(world.caFile, machine.copyOf(world.caFile)));
      machine.account('acme', writeAccount({ ...keys, redirect_uri: redirect }));
    }
    const [init, share, login] = block('fleet').trim().split('\n');
    const sh = (machine, line, options) => machine.exec('sh', ['-c', line], { ...options, env: { PATH: `${path.dirname(world.program)}:${world.env.PATH}`, ...options?.env } });
    const ok = ({ code, stdout, stderr }) => assert.equal(code, 0, stderr) ?? stdout;
    ok(await sh(a, init));
    const [, exports, imports] = /^(.*) \| ssh b '(.*)'$/.exec(share); // one user cannot be the other: the pipe is ours
    ok(await sh(b, imports, { input: ok(await sh(a, exports)) }));
    assert.equal((await a.run(['secret', 'acme', '--secret-stdin'], { input: DASHBOARD.client_secret })).code, 0);
    const browser = world.browser({ ca: a.copyOf(world.caFile) });
    fs.chmodSync(browser.program, 0o755);
    fs.chmodSync(path.dirname(browser.program), 0o777); // where it notes its visits
    assert.match(ok(await sh(a, login, { env: browser.env })), /logged in/);
    agreed([await a.request({ account: 'acme' }), await b.request({ account: 'acme' })], 'password');
  });
});
