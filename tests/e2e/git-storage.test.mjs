// SPDX-License-Identifier: MIT
//
// A plain storage helper of git for places without an account: through the real git where it says the
// words, and on the wire where only a newer one does.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { openAskingBus } from './lib/asking-bus.mjs';
import { ASKED, Git, gitVersion, helper } from './lib/git.mjs';
import { encoded, itemsOf, putValue, watchCalls } from './lib/keyring-items.mjs';
import { addKey, assertRefused, unique } from './lib/small-accounts.mjs';
import { closeWorld } from './lib/accounts.mjs';
import { onTerminal } from './lib/terminal.mjs';
import { until } from './lib/until.mjs';
import { World } from './lib/world.mjs';

const version = await gitVersion();
const NEVER = 9999999999;
const FIVE_KIB = 'x'.repeat(5 * 1024);
const LONGEST = 'y'.repeat(65535 - 'password=\n'.length); // one line of the protocol
let counter = 0;
const fresh = () => { counter += 1; return `host-${counter}.example.com`; };
const of = (host, more = {}) => ({ protocol: 'https', host, ...more });

function silent(result, code = 0) {
  assert.deepEqual([result.code, result.stdout, result.stderr], [code, '', '']);
}

describe('through git', { skip: version ? false : 'git is missing' }, () => {
  let world;
  let git;
  before(async () => {
    world = await World.create({ servers: false });
    git = new Git(world);
  });
  after(() => closeWorld(world));
  afterEach(() => git.prompts());

  const approve = async (keys, options) => silent(await git.credential('approve', keys, options));
  const reject = async (keys, options) => silent(await git.credential('reject', keys, options));
  const fill = async (keys, options) => {
    const result = await git.credential('fill', keys, options);
    assert.equal(result.code, 0, result.stderr);
    assert.equal(result.stderr, '', 'a helper that is asked for every host has nothing to say');
    const { username, password } = result.answer;
    return { username, password, asked: git.prompts().length };
  };
  const stored = (username, password) => ({ username, password, asked: 0 });
  const typed = { username: ASKED, password: ASKED, asked: 2 };

  test('nothing is stored: git asks the person, and the helper says nothing', async () => {
    assert.deepEqual(await fill(of(fresh())), typed);
  });

  test('what was approved is filled in', async () => {
    const host = fresh();
    await approve(of(host, { username: 'ada', password: 'pass word=1' }));
    assert.deepEqual(await fill(of(host)), stored('ada', 'pass word=1'));
    assert.deepEqual(await fill(of(host, { username: 'ada' })), stored('ada', 'pass word=1'));
  });

  test('protocol, host, port and user must be the same', async () => {
    const host = fresh();
    await approve(of(host, { username: 'ada', password: 'first' }));
    for (const other of [{ protocol: 'http' }, { host: `x${host}` }, { host: `${host}:8443` }, { host: `${host}.test` }]) {
      assert.deepEqual(await fill(of(host, other)), typed, JSON.stringify(other));
    }
    assert.deepEqual(await fill(of(host, { username: 'bob' })), { username: 'bob', password: ASKED, asked: 1 });
    assert.deepEqual(await fill(of(host.toUpperCase())), stored('ada', 'first'), 'a host has no case');
    assert.deepEqual(await fill(of(`${host}:443`)), stored('ada', 'first'), 'the port that https has anyway');
  });

  test('the user may have any protocol with a host: http, smtp, imap; and a file of a certificate', async () => {
    for (const protocol of ['http', 'smtp', 'imaps', 'ftp']) {
      const host = `${fresh()}:2525`;
      await approve({ protocol, host, username: 'ada', password: `of ${protocol}` });
      assert.deepEqual(await fill({ protocol, host }), stored('ada', `of ${protocol}`));
    }
    const key = { protocol: 'cert', host: '', path: '/home/ada/my key.pem' };
    await approve({ ...key, username: '', password: 'passphrase' });
    assert.deepEqual(await fill({ ...key, username: '' }), stored('', 'passphrase'));
  });

  test('useHttpPath: the path must be the same; without it any path will do', async () => {
    const host = fresh();
    const config = { 'credential.useHttpPath': 'true' };
    await approve(of(host, { path: 'group/one.git', username: 'ada', password: 'one' }), { config });
    assert.deepEqual(await fill(of(host, { path: 'group/two.git' }), { config }), typed);
    assert.deepEqual(await fill(of(host, { path: 'group' }), { config }), typed, 'no part of it');
    assert.deepEqual(await fill(of(host, { path: 'group/one.git' }), { config }), stored('ada', 'one'));
    assert.deepEqual(await fill(of(host)), stored('ada', 'one'));
    await approve(of(host, { path: 'a b/ü%20#?.git', username: 'ada', password: 'odd' }), { config });
    assert.deepEqual(await fill(of(host, { path: 'a b/ü%20#?.git' }), { config }), stored('ada', 'odd'));
  });

  test('a new password replaces the old one', async () => {
    const host = fresh();
    for (const password of ['first', 'second']) await approve(of(host, { username: 'ada', password }));
    assert.deepEqual(await fill(of(host)), stored('ada', 'second'));
    assert.equal((await itemsOf(world, `https://${host}:443`)).length, 1);
  });

  test('several users of one host, each forgotten by itself', async () => {
    const host = fresh();
    for (const username of ['ada', 'bob']) await approve(of(host, { username, password: `of ${username}` }));
    for (const username of ['ada', 'bob']) assert.deepEqual(await fill(of(host, { username })), stored(username, `of ${username}`));
    await reject(of(host, { username: 'ada', password: 'of ada' }));
    assert.deepEqual(await fill(of(host, { username: 'ada' })), { username: 'ada', password: ASKED, asked: 1 });
    assert.deepEqual(await fill(of(host)), stored('bob', 'of bob'));
  });

  test('without a user the latest answers', async () => {
    const host = fresh();
    const second = () => Math.floor(Date.now() / 1000); // what the keyring keeps of the time
    for (const [username, password] of [['ada', '1'], ['bob', '1'], ['ada', '2']]) {
      const started = second();
      await until(() => second() > started, 'the next second');
      await approve(of(host, { username, password }));
      assert.deepEqual(await fill(of(host)), stored(username, password));
    }
  });

  test('another password than the rejected one stays', async () => {
    const host = fresh();
    await approve(of(host, { username: 'ada', password: 'new' }));
    await reject(of(host, { username: 'ada', password: 'old' }));
    await reject(of(host, { username: 'bob', password: 'new' }));
    await reject(of(`${host}:8443`));
    assert.deepEqual(await fill(of(host)), stored('ada', 'new'));
  });

  test('rejecting a host forgets all of its users, and no other host', async () => {
    const [host, other] = [fresh(), fresh()];
    for (const username of ['ada', 'bob']) await approve(of(host, { username, password: 'same' }));
    await approve(of(other, { username: 'ada', password: 'same' }));
    await reject(of(host));
    assert.deepEqual(await fill(of(host)), typed);
    assert.deepEqual(await fill(of(other)), stored('ada', 'same'));
    await reject(of(host));
  });

  test('empty user and password are an answer', async () => {
    const host = fresh();
    await approve(of(host, { username: '', password: '' }));
    assert.deepEqual(await fill(of(host)), stored('', ''));
    assert.deepEqual(await fill(of(host, { username: 'none' })), { username: 'none', password: ASKED, asked: 1 });
    await approve(of(`${host}:8443`, { username: 'ada', password: 'p' }));
    silent(await helper(world, 'get', of(`${host}:8443`, { username: '' })), 1);
  });

  test('long passwords, and passwords that are not English', async () => {
    for (const password of [FIVE_KIB, 'Füße 東京 🗝 {REF:x} %s "quoted" \\', ' blanks at both ends ']) {
      const host = fresh();
      await approve(of(host, { username: 'ädä/東', password }));
      assert.deepEqual(await fill(of(host)), stored('ädä/東', password));
    }
  });

  test('behind another helper, and with an option', async () => {
    const host = fresh();
    const config = { 'credential.helper': ['!f() { :; }; f', 'ringbearer --interactive'] };
    await approve(of(host, { username: 'ada', password: 'first' }), { config });
    assert.deepEqual(await fill(of(host), { config }), stored('ada', 'first'));
    await reject(of(host, { username: 'ada', password: 'first' }), { config });
    assert.deepEqual(await fill(of(host), { config }), typed);
  });
});

describe('what newer git says', () => {
  let world;
  let host;
  before(async () => { world = await World.create({ servers: false }); });
  after(() => closeWorld(world));
  beforeEach(() => { host = fresh(); });

  const store = async (keys) => silent(await helper(world, 'store', keys));
  const erase = async (keys) => silent(await helper(world, 'erase', keys));
  const get = async (keys) => {
    const { code, answer, stderr } = await helper(world, 'get', keys);
    assert.equal(stderr, '');
    return code === 1 && Object.keys(answer).length === 0 ? undefined : answer;
  };
  const now = () => Math.floor(Date.now() / 1000);
  // What is stored for ada, as it is when its time is over.
  async function age(lines) {
    const [{ attributes }] = await itemsOf(world, `https://${host}:443`);
    await putValue(world, attributes, encoded(`${lines}password_expiry_utc=${now()}\n`));
  }

  test('password_expiry_utc comes back; a password past it does not', async () => {
    await store(of(host, { username: 'ada', password: 'good', password_expiry_utc: NEVER }));
    assert.deepEqual(await get(of(host)), { username: 'ada', password: 'good', password_expiry_utc: String(NEVER) });
    const soon = now() + 3600;
    await store(of(host, { username: 'ada', password: 'short', password_expiry_utc: soon }));
    assert.equal((await get(of(host))).password, 'short');
    await age('username=ada\npassword=short\n');
    assert.equal(await get(of(host)), undefined);
    await store(of(host, { username: 'ada', password: 'short', password_expiry_utc: soon }));
    await store(of(host, { username: 'ada', password: 'late', password_expiry_utc: now() - 1 }));
    assert.equal((await get(of(host))).password, 'short', 'what has expired is not kept');
    for (const never of ['0', 'soon', '']) {
      await store(of(host, { username: 'ada', password: `never ${never}`, password_expiry_utc: never }));
      assert.deepEqual(await get(of(host)), { username: 'ada', password: `never ${never}` });
    }
  });

  test('oauth_refresh_token comes back, also alone where only it is still good', async () => {
    await store(of(host, { username: 'ada', password: 'token', password_expiry_utc: now() + 3600, oauth_refresh_token: 'again' }));
    assert.equal((await get(of(host))).oauth_refresh_token, 'again');
    await age('username=ada\npassword=token\noauth_refresh_token=again\n');
    assert.deepEqual(await get(of(host)), { username: 'ada', oauth_refresh_token: 'again' });
    await erase(of(host, { username: 'ada', password: 'token', oauth_refresh_token: 'again' }));
    assert.equal(await get(of(host)), undefined);
  });

  test('authtype and credential, for those who announce it', async () => {
    const announced = { capability: ['authtype', 'state'] };
    const token = { authtype: 'Bearer', credential: 'random.token' };
    await store({ ...announced, ...of(host, token) });
    assert.deepEqual(await get({ ...announced, ...of(host) }), { 'capability[]': ['authtype'], ...token });
    assert.equal(await get(of(host)), undefined, 'an older git could not use it');
    await store({ ...announced, ...of(host, { ...token, credential: 'other', username: 'ada' }) });
    const answer = await get({ ...announced, ...of(host, { username: 'ada' }) });
    assert.deepEqual(answer, { 'capability[]': ['authtype'], ...token, credential: 'other', username: 'ada' });
    assert.equal(await get({ ...announced, ...of(host, { username: 'bob' }) }), undefined);
    await erase({ ...announced, ...of(host, { ...token, credential: 'yet another' }) });
    assert.notEqual(await get({ ...announced, ...of(host) }), undefined);
    await erase({ ...announced, ...of(host, { ...token, credential: 'other', username: 'ada' }) });
    assert.equal((await get({ ...announced, ...of(host) })).credential, 'random.token');
  });

  test('what is ephemeral, incomplete or nowhere is not kept', async () => {
    await store(of(host, { authtype: 'Bearer', credential: 'gone', ephemeral: '1' }));
    await store(of(host, { username: 'ada', password: 'gone', ephemeral: '1' }));
    await store(of(host, { username: 'ada' }));
    await store(of(host, { password: 'gone' }));
    await store(of(host, { credential: 'gone' }));
    await store({ username: 'ada', other: 'gone' });
    assert.deepEqual(await itemsOf(world, `https://${host}:443`), []);
    await store(of(host, { username: 'ada', password: 'kept', ephemeral: '0' }));
    assert.equal((await get(of(host))).password, 'kept');
  });

  test('the longest line that there is; one more byte is refused', async () => {
    await store(of(host, { username: 'ada', password: LONGEST }));
    assert.equal((await get(of(host))).password, LONGEST);
    const refused = await helper(world, 'store', of(host, { username: 'ada', password: `${LONGEST}y` }));
    assert.deepEqual([refused.code, refused.stdout], [2, '']);
    assert.equal((await get(of(host))).password, LONGEST);
  });

  test('a user that is no text cannot be stored, and finds nothing', async () => {
    const input = Buffer.concat([Buffer.from(`protocol=https\nhost=${host}\npassword=p\nusername=`), Buffer.from([0xe4, 0x0a])]);
    const run = (verb) => world.exec('git-credential-ringbearer', [verb], { input });
    const stored = await run('store');
    assert.deepEqual([stored.code, /UTF-8/.test(stored.stderr)], [2, true], stored.stderr);
    assert.deepEqual(await itemsOf(world, `https://${host}:443`), []);
  });

  test('a header that looks like another host changes nothing', async () => {
    await store(of('victim.example.com', { username: 'ada', password: 'to be stolen' }));
    assert.equal(await get(of(host, { 'wwwauth[]': undefined, wwwauth: [`basic realm=${'a'.repeat(70)}host=victim.example.com`] })), undefined);
  });

  test('what is unchanged is not written again', async () => {
    const keys = of(host, { username: 'ada', password: 'same' });
    await store(keys);
    const calls = await watchCalls(world, () => store(keys));
    assert.deepEqual(calls.filter((name) => ['SetSecret', 'CreateItem', 'Delete'].includes(name)), []);
    assert.ok(calls.length > 0, 'the bus was watched');
  });

  test("the item: the same attributes as every other, a label that a person understands, git's lines as the value", async () => {
    await store(of(host, { path: 'a/b', username: 'ada', password: 'p', password_expiry_utc: NEVER }));
    const [item] = await itemsOf(world, `https://${host}:443`);
    assert.deepEqual(item.attributes, {
      account: `https://${host}:443`, kind: 'password', client_id: 'ada', endpoint: `https://${host}:443/a/b`, 'xdg:schema': 'org.ringbearer.Secret',
    });
    assert.equal(item.label, `${host}: password of ada`);
    const { 'xdg:schema': _, ...attributes } = item.attributes;
    await putValue(world, item.attributes, encoded('username=ada\npassword=from elsewhere\nlater=line\n'));
    assert.deepEqual(await get(of(host)), { username: 'ada', password: 'from elsewhere' });
    for (const foreign of ['nonsense', encoded('nonsense'), encoded('username=ada\n')]) {
      await putValue(world, item.attributes, foreign);
      const refused = await helper(world, 'get', { capability: ['error'], ...of(host) });
      assertRefused(refused, 4, 'store_unavailable', /not one that ringbearer wrote|without an equals sign|=/);
    }
    await store(of(host, { path: 'a/b', username: 'ada', password: 'mended' }));
    assert.equal((await get(of(host))).password, 'mended');
    assert.equal(attributes.kind, 'password');
  });

  test('only in the form git; a person sees what is stored, and removes it', async () => {
    await store(of(host, { username: 'ada', password: 'p' }));
    await store(of(host, { path: 'x.git', username: '', password: '' }));
    for (const format of ['token', 'header', 'json']) {
      assert.deepEqual((({ code, stdout }) => [code, stdout])(await world.request({ ...of(host), format })), [1, '']);
    }
    const listed = await world.must(['list', '--passwords']);
    assert.match(listed.stdout, /^PLACE +USERNAME\nhttps:/);
    assert.match(listed.stdout, new RegExp(`^https://${host}/ +ada$`, 'm'));
    const json = JSON.parse((await world.must(['list', '--passwords', '--json'])).stdout).filter(({ url }) => url.includes(host));
    assert.deepEqual(json.sort((a, b) => a.url.length - b.url.length), [
      { url: `https://${host}/`, username: 'ada' }, { url: `https://${host}/x.git`, username: '' },
    ]);
    assert.equal((await world.must(['list'])).stdout.includes(host), false);
    const erased = await onTerminal(world, ['erase', `--url=https://${host}/x.git`]);
    assert.deepEqual([erased.code, erased.output], [0, '']);
    assert.equal((await itemsOf(world, `https://${host}:443`)).length, 1);
    await world.must(['erase', `--url=https://${host}`], { input: '' });
    assert.deepEqual(await itemsOf(world, `https://${host}:443`), []);
  });
});

describe('beside accounts', () => {
  let world;
  const name = unique('git-storage');
  before(async () => {
    world = await World.create({ servers: false });
    await addKey(world, name, { match: 'https://git.example.com/', username: 'robot' }, 'token-of-robot');
    for (const twin of ['one', 'two']) await addKey(world, `${name}-${twin}`, { match: 'https://twin.example.com/' }, 'twin');
  });
  after(() => closeWorld(world));

  test('the token that was handed out is left alone, whatever git says of it', async () => {
    const place = of('git.example.com');
    const { answer } = await helper(world, 'get', place);
    assert.deepEqual([answer.username, answer.password], ['robot', 'token-of-robot']);
    silent(await helper(world, 'store', { ...place, username: 'robot', password: answer.password }));
    silent(await helper(world, 'store', { ...place, username: 'robot', password: 'typed' }));
    assert.deepEqual(await itemsOf(world, 'https://git.example.com:443'), []);
    const calls = await watchCalls(world, () => helper(world, 'store', { ...place, username: 'robot', password: answer.password }));
    assert.deepEqual(calls, [], 'the keyring is not even asked');
    silent(await helper(world, 'erase', { ...place, username: 'robot', password: answer.password }));
    assert.equal((await helper(world, 'get', place)).answer.password, 'token-of-robot');
  });

  test('another user of the same host has a password', async () => {
    const place = of('git.example.com', { username: 'ada' });
    silent(await helper(world, 'get', place), 1);
    silent(await helper(world, 'store', { ...place, password: 'of ada' }));
    assert.equal((await helper(world, 'get', place)).answer.password, 'of ada');
    assert.equal((await helper(world, 'get', of('git.example.com'))).answer.password, 'token-of-robot');
    silent(await helper(world, 'erase', of('git.example.com', { password: 'token-of-robot' })));
    assert.equal((await helper(world, 'get', place)).answer.password, 'of ada');
  });

  test('an account that the configuration names answers where it matches, and nowhere else', async () => {
    const options = [`--account=${name}`];
    assert.equal((await helper(world, 'get', of('git.example.com'), { options })).answer.password, 'token-of-robot');
    const elsewhere = await helper(world, 'get', { capability: ['error'], ...of('elsewhere.example.com') }, { options });
    assert.deepEqual([elsewhere.code, elsewhere.answer.error, elsewhere.answer.password], [1, 'no_account', undefined]);
  });

  test('and nothing of it is stored', async () => {
    const [place, options] = [of('elsewhere.example.com'), [`--account=${name}`]];
    silent(await helper(world, 'store', { ...place, username: 'robot', password: 'token-of-robot' }, { options }));
    silent(await helper(world, 'erase', { ...place, username: 'robot', password: 'token-of-robot' }, { options }));
    assert.deepEqual(await itemsOf(world, 'https://elsewhere.example.com:443'), []);
  });

  test('two accounts that answer equally well: nothing is stored, since it could never be given out', async () => {
    silent(await helper(world, 'store', of('twin.example.com', { username: 'ada', password: 'p' })));
    assert.deepEqual(await itemsOf(world, 'https://twin.example.com:443'), []);
    assert.equal((await helper(world, 'get', { capability: ['error'], ...of('twin.example.com') })).answer.error, 'ambiguous_account');
  });
});

describe('a keyring that is not open', () => {
  const place = of('locked.example.com');
  const why = { capability: ['error'], ...place };
  const kept = { ...place, username: 'ada', password: 'safe' };

  test('locked is never mistaken for "nothing stored"', async () => {
    const world = await World.create({ servers: false });
    try {
      silent(await helper(world, 'store', kept));
      await world.keyring.lock();
      assertRefused(await helper(world, 'get', why), 4, 'store_locked', /unlock/);
      assertRefused(await helper(world, 'get', why, { options: ['--interactive'] }), 4, 'store_dismissed');
      for (const verb of ['store', 'erase']) {
        const result = await helper(world, verb, kept);
        assert.deepEqual([result.code, /locked/.test(result.stderr)], [4, true], `${verb}: ${result.stderr}`);
      }
      assert.equal((await world.run(['list', '--passwords'])).code, 4);
      await world.keyring.kill();
      await world.keyring.start('not the password');
      assertRefused(await helper(world, 'get', why), 4, 'store_locked');
      await world.keyring.unlock();
      assert.equal((await helper(world, 'get', place)).answer.password, 'safe');
    } finally {
      await closeWorld(world);
    }
  });

  test('one that asks a person before it makes anything is locked where nobody was asked', async () => {
    const world = await World.create({ servers: false });
    const bus = await openAskingBus(world, ['CreateItem']);
    try {
      const stored = await helper(world, 'store', kept, { env: bus.env });
      assert.deepEqual(bus.seen, ['CreateItem']);
      assert.deepEqual([stored.code, stored.stdout], [4, '']);
      assert.match(stored.stderr, /^ringbearer: the keyring is locked.*\n$/);
    } finally {
      await bus.close();
      await closeWorld(world);
    }
  });

  test('one that asks a person before it removes anything has not removed it when nobody was asked', async () => {
    const world = await World.create({ servers: false });
    const bus = await openAskingBus(world, ['Delete']);
    try {
      silent(await helper(world, 'store', kept, { env: bus.env }));
      const erased = await helper(world, 'erase', kept, { env: bus.env });
      assert.deepEqual(bus.seen, ['Delete']);
      assert.deepEqual([erased.code, erased.stdout], [4, '']);
      assert.match(erased.stderr, /^ringbearer: .*not removed.*\n$/);
      assert.equal((await helper(world, 'get', place)).answer.password, 'safe');
    } finally {
      await bus.close();
      await closeWorld(world);
    }
  });

  for (const keyring of ['none', 'nobus']) {
    test(`no keyring at all (${keyring}): no account, and the reason with it; a password that is lost is told`, async () => {
      const world = await World.create({ keyring, servers: false });
      try {
        const result = await world.request(why);
        assertRefused(result, 1, 'no_account', /no account answers for https:\/\/locked\.example\.com:443, and no password can be stored/);
        silent(await helper(world, 'get', place), 1);
        silent(await helper(world, 'erase', kept));
        const stored = await helper(world, 'store', kept);
        assert.deepEqual([stored.code, stored.stdout], [4, '']);
        assert.match(stored.stderr, /^ringbearer: .*\n$/);
      } finally {
        await closeWorld(world);
      }
    });
  }

  test('one that says nothing ends the call, and is not an empty one', async () => {
    const world = await World.create({ keyring: 'mute', servers: false });
    try {
      assertRefused(await helper(world, 'get', why, { timeout: 30000 }), 4, 'store_unavailable', /did not answer in time/);
    } finally {
      await closeWorld(world);
    }
  });
});
