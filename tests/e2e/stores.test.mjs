// SPDX-License-Identifier: MIT
//
// Where secrets rest: chosen in the account, by files of defaults, by `add` on a machine without a keyring service; what systemd or a
// container hands over; and the way from one store to another.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { obstacle, underFire } from '../faults/lib/killer.mjs';
import { accountFile, closeWorld } from './lib/accounts.mjs';
import { BUILD } from './lib/builds.mjs';
import { canUnshare, inNamespace, isRoot } from './lib/confined.mjs';
import { itemsOf } from './lib/keyring-items.mjs';
import { KEY, ask, askAfresh, assertRefused, keyAccount, unique } from './lib/small-accounts.mjs';
import { onTerminal } from './lib/terminal.mjs';
import { World } from './lib/world.mjs';

const modules = process.env.RINGBEARER_MODULE_DIR ?? path.join(BUILD, 'helper/modules/.libs');
const missing = !fs.existsSync(path.join(modules, 'store-file.so')) && 'this build has no libsodium';
const flags = (keys) => Object.entries(keys).map(([key, value]) => `--${key.replaceAll('_', '-')}=${value}`);
const [ASKER, REPLIER] = ['/usr/bin/systemd-ask-password', '/lib/systemd/systemd-reply-password'];
const QUESTIONS = '/run/systemd/ask-password';
const STEP = 5; // of the calls at which a move is killed

describe('without a keyring service', { skip: missing }, () => {
  let world;
  let counter = 0;
  const fresh = (what) => unique(`${what}-${counter += 1}`);
  const defaults = () => path.join(world.env.XDG_CONFIG_HOME, 'ringbearer/defaults');
  const add = (name, keys, options) => world.run(['add', name, ...flags({ ...keyAccount, ...keys })], options);
  before(async () => { world = await World.create({ servers: false, keyring: 'nobus' }); });
  after(() => closeWorld(world));

  test('add names the stores that there are before it asks for anything', async () => {
    const name = fresh('add');
    const { code, stderr } = await add(name, {});
    assert.equal(code, 4);
    assert.match(stderr, /the keyring cannot be reached.*; or keep secrets elsewhere: add --store= with one of command, credentials, (etcd, )?file, secret_service\n$/);
    assert.equal(fs.existsSync(accountFile(world, name)), false);
  });

  test('a store without its key says how to make it; with it the secret is kept, and nothing of it is in the clear', async () => {
    const name = fresh('add');
    const early = await world.run(['add', name, ...flags({ ...keyAccount, store: 'file' }), '--secret-stdin'], { input: KEY });
    assert.deepEqual([early.code, /run `ringbearer store init`/.test(early.stderr)], [4, true]);
    const made = await world.must(['store', 'init']);
    const [, key] = /The key is in (\S+)\. Keep a copy/.exec(made.stderr);
    assert.equal(fs.statSync(key).mode & 0o777, 0o600);
    const before = fs.readFileSync(key, 'utf8');
    assert.match((await world.must(['store', 'init'])).stderr, /There is a key already/);
    assert.equal(fs.readFileSync(key, 'utf8'), before);
    await world.add(name, { ...keyAccount, store: 'file' }, KEY);
    assert.equal((await ask(world, { account: name })).answer.password, KEY);
  });

  test('with its key gone, the store says so, and makes no other in its place', async () => {
    const name = fresh('gone');
    const [key, folder] = [path.join(world.dir, 'gone.key'), path.join(world.dir, 'gone')];
    const keys = { ...keyAccount, store: 'file', store_folder: folder, store_key_file: key };
    world.account(name, keys);
    await world.must(['store', 'init', name]);
    assert.equal((await ask(world, { account: name, api_key: KEY }, { verb: 'store' })).code, 0);
    fs.renameSync(key, `${key}.away`);
    assertRefused(await askAfresh(world, name), 4, 'store_unavailable',
      new RegExp(`with a key that is gone: .*put your copy of it back, or if it is lost, move the files \\*\\.sealed away from there and run \`ringbearer store init ${name}\``));
    const refused = await world.run(['store', 'init', name]);
    assert.equal(refused.code, 4);
    assert.match(refused.stderr, /a new key would not open them; put your copy of it back, or/);
    assert.equal(fs.existsSync(key), false);
    for (const file of fs.readdirSync(folder)) fs.rmSync(path.join(folder, file));
    assert.match((await ask(world, { account: name, api_key: KEY }, { verb: 'store' })).stderr, new RegExp(`run \`ringbearer store init ${name}\``));
    await world.must(['store', 'init', name]);
    const other = fresh('gone');
    await world.add(other, keys, KEY);
    fs.rmSync(key);
    fs.copyFileSync(`${key}.away`, key);
    fs.chmodSync(key, 0o600);
    const { stdout } = await world.run(['doctor', other]);
    assert.match(stdout, /was sealed with another key than .*move the files \*\.sealed away .*`ringbearer secret ACCOUNT`/);
  });

  test('a passphrase that the account names is asked for by the account\'s name, until it is right', async () => {
    const name = fresh('phrase');
    const keys = { ...keyAccount, store: 'file', store_folder: path.join(world.dir, 'phrase'), store_key: 'passphrase' };
    world.account(name, keys);
    const [first, again] = [/store \(it is not shown\): $/, /more: $/];
    const early = await world.run(['store', 'init', name], { env: { DISPLAY: undefined, WAYLAND_DISPLAY: undefined } });
    assert.deepEqual([early.code, early.stderr], [4, `ringbearer: ${name}: the store has no passphrase yet, and there is no terminal to ask for one; run \`ringbearer store init ${name}\` in one\n`]);
    const init = await onTerminal(world, ['store', 'init', name], [[first, 'one\n'], [again, 'two\n'], [first, 'right\n'], [again, 'right\n']]);
    assert.equal(init.code, 0, init.output);
    assert.match(init.output, /two different passphrases; try again/);
    await world.must(['store', 'lock', name]);
    const cure = new RegExp(`run \`ringbearer store unlock ${name}\``);
    assert.match((await ask(world, { account: name, api_key: KEY }, { verb: 'store' })).stderr, cure);
    const apart = await world.run(['secret', name, '--secret-stdin'], { input: KEY, env: { DISPLAY: undefined, WAYLAND_DISPLAY: undefined } });
    assert.deepEqual([apart.code, cure.test(apart.stderr)], [4, true], apart.stderr);
    const unlocked = await onTerminal(world, ['store', 'unlock', name], [[first, 'wrong\n'], [first, 'right\n']]);
    assert.equal(unlocked.code, 0, unlocked.output);
    assert.match(unlocked.output, /That is not the passphrase; try again/);
    assert.equal((await ask(world, { account: name, api_key: KEY }, { verb: 'store' })).code, 0);
  });

  // systemd-ask-password(1) itself, with a folder of its own for its questions; what answers them is what systemd's agents answer with.
  test('without a terminal, in a desktop\'s session, systemd asks for it', async (t) => {
    if (![ASKER, REPLIER].every((file) => fs.existsSync(file))) return t.skip('systemd-ask-password is missing');
    if (!isRoot || !await canUnshare()) return t.skip('only root answers where systemd asks');
    const name = fresh('asked-elsewhere');
    const questions = fs.mkdtempSync(path.join(world.dir, 'questions-'));
    world.account(name, { ...keyAccount, store: 'file', store_folder: path.join(world.dir, name), store_key: 'passphrase' });
    assert.equal((await onTerminal(world, ['store', 'init', name], Array(2).fill([/: $/, 'right\n']))).code, 0);
    const replied = async (input, words, socket) => assert.equal((await world.exec(REPLIER, [words, path.join(questions, path.basename(socket))], { input })).code, 0);
    const keep = async (...answers) => {
      await world.must(['store', 'lock', name]);
      const [asked, said] = [[], []];
      const gone = new AbortController();
      const [file, ...words] = inNamespace(`mkdir -p ${QUESTIONS}; mount --bind "$1" ${QUESTIONS}; shift; exec setsid -w "$@"`, questions, world.program, 'secret', name, '--secret-stdin');
      const watching = (async () => {
        for await (const { filename } of fs.promises.watch(questions, { signal: gone.signal })) {
          const question = path.join(questions, filename);
          if (!filename.startsWith('ask.') || !fs.existsSync(question) || asked.includes(filename)) continue;
          const ini = Object.fromEntries(fs.readFileSync(question, 'utf8').split('\n').filter((line) => line.includes('=')).map((line) => line.split(/=(.*)/)));
          asked.push(filename);
          said.push([ini.Id, ini.Message]);
          const answer = answers.shift();
          await replied(answer ?? '', answer === undefined ? '0' : '1', ini.Socket);
        }
      })().catch((error) => { if (error.name !== 'AbortError') throw error; });
      const result = await world.exec(file, words, { input: KEY, env: { DISPLAY: ':99' } });
      gone.abort();
      await watching;
      for (const [id, message] of said) assert.deepEqual([id, /^Passphrase of ringbearer's store/.test(message)], ['ringbearer', true], message);
      return { ...result, asked: asked.length };
    };
    const right = await keep('wrong', 'right');
    assert.deepEqual([right.code, right.asked, right.stderr.includes('right')], [0, 2, false], right.stderr);
    assert.equal((await ask(world, { account: name })).answer.password, KEY);
    const dismissed = await keep();
    assert.deepEqual([dismissed.code, dismissed.asked], [4, 1], dismissed.stderr);
    assert.match(dismissed.stderr, new RegExp(`nobody answered when it was asked for its passphrase; run \`ringbearer store unlock ${name}\``));
    return undefined;
  });

  test('`store` without words is the verb that it was', async () => {
    const name = fresh('verb');
    world.account(name, { ...keyAccount, store: 'file' });
    assert.equal((await ask(world, { account: name, api_key: KEY }, { verb: 'store' })).code, 0);
    assert.equal((await ask(world, { account: name })).answer.password, KEY);
    assert.equal((await world.run(['store', 'nonsense'])).code, 2);
  });

  test('at a terminal, add asks for the store, and goes on', async () => {
    const name = fresh('asked');
    const { code, output } = await onTerminal(world, ['add', name, ...flags(keyAccount)], [[/\[file\]: $/, '\n'], [/shown\): $/, `${KEY}\n`]]);
    assert.equal(code, 0, output);
    assert.match(output, /There is no keyring service here/);
    assert.match(fs.readFileSync(accountFile(world, name), 'utf8'), /^store ?= ?file$/m);
    assert.equal((await ask(world, { account: name })).answer.password, KEY);
  });

  test('a secret that is empty is asked for again, so that none is typed into the shell', async () => {
    const name = fresh('empty');
    const words = ['add', name, ...flags({ ...keyAccount, store: 'file' })];
    const { code, output } = await onTerminal(world, words, [[/shown\): $/, '\n'], [/the secret is empty[^]*shown\): $/, `${KEY}\n`]]);
    assert.equal(code, 0, output);
    assert.equal((await ask(world, { account: name })).answer.password, KEY);
  });

  test('defaults choose for all accounts; show names them, and a token that is cached is not handed out past an edit', async () => {
    const name = fresh('defaults');
    fs.writeFileSync(defaults(), '# here\nstore = file\n');
    await world.add(name, keyAccount, KEY);
    assert.doesNotMatch(fs.readFileSync(accountFile(world, name), 'utf8'), /store/);
    assert.match((await world.must(['show', name])).stdout, new RegExp(`^store = file\\n\\t# ${defaults()}, line 2$`, 'm'));
    assert.equal((await ask(world, { account: name })).answer.password, KEY);
    const cached = async () => /from the cache/.test((await ask(world, { account: name }, { env: { RINGBEARER_TRACE: '1' } })).stderr);
    assert.equal(await cached(), true);
    fs.appendFileSync(defaults(), 'store_folder = /nonexistent/secrets\n');
    assertRefused(await ask(world, { account: name }), 4, 'store_unavailable', /\/nonexistent\/secrets/);
    fs.writeFileSync(defaults(), 'nonsense = 1\n');
    assertRefused(await ask(world, { account: name }), 7, 'config', /defaults, line 1: there is no key `nonsense`/);
    fs.rmSync(defaults());
    assert.equal((await ask(world, { account: name })).code, 4, 'and past their removal');
  });

  test('list asks each account\'s own store', async () => {
    const [here, there] = [fresh('list'), fresh('list')];
    const keys = { provider: 'oauth2', grant: 'authorization_code', client_id: 'x', token_endpoint: 'https://a.example.test/t', match: 'https://a.example.test/', store: 'file' };
    world.account(here, keys);
    world.account(there, { ...keys, store_folder: path.join(world.dir, 'another') });
    for (const account of [here, there]) assert.equal((await ask(world, { account, refresh_token: KEY }, { verb: 'store' })).code, 0);
    const listed = JSON.parse((await world.must(['list', '--json'])).stdout);
    for (const account of [here, there]) assert.equal(listed.find((each) => each.account === account).logged_in, true, account);
  });

  test('credentials are read where systemd or a container has put them, and nowhere else', async () => {
    const [name, other] = [fresh('credential'), fresh('credential')];
    const folder = path.join(world.dir, 'secrets');
    fs.mkdirSync(folder);
    for (const each of [name, other]) world.account(each, { ...keyAccount, store: 'credentials' });
    fs.writeFileSync(path.join(folder, `${name}.api_key`), `${KEY}\n`, { mode: 0o400 });
    assertRefused(await ask(world, { account: name }), 4, 'store_unavailable', /LoadCredential=/);
    const env = { CREDENTIALS_DIRECTORY: folder };
    assertRefused(await ask(world, { account: other }, { env }), 4, 'no_secret');
    assert.equal((await ask(world, { account: name }, { env })).answer.password, KEY);
    world.account(name, { ...keyAccount, store: 'credentials', store_folder: folder });
    assert.equal((await ask(world, { account: name })).answer.password, KEY);
    fs.writeFileSync(path.join(folder, `${name}.endpoint`), 'https://elsewhere.example.test/\n');
    assertRefused(await askAfresh(world, name), 4, 'no_secret');
    fs.writeFileSync(path.join(folder, `${name}.endpoint`), `${keyAccount.match}\n`);
    assert.equal((await askAfresh(world, name)).answer.password, KEY);
    assert.equal((await ask(world, { account: name, api_key: 'x' }, { verb: 'store' })).code, 7);
    await world.must(['remove', name]);
    assert.ok(fs.existsSync(path.join(folder, `${name}.api_key`)), 'it is not ours to remove');
  });

  test('add does not ask for what is handed over, and refuses a grant that has to keep something', async () => {
    const name = fresh('handed');
    const folder = path.join(world.dir, 'handed');
    fs.mkdirSync(folder);
    fs.writeFileSync(path.join(folder, `${name}.api_key`), KEY, { mode: 0o400 });
    const keys = { store: 'credentials', store_folder: folder };
    assert.equal((await world.run(['add', name, ...flags({ ...keyAccount, ...keys }), '--secret-stdin'], { input: KEY })).code, 2);
    assert.equal((await add(name, keys)).code, 0);
    assert.equal((await ask(world, { account: name })).answer.password, KEY);
    const login = { provider: 'oauth2', grant: 'device_code', client_id: 'x', client_auth: 'none', token_endpoint: 'https://a.example.test/t',
      device_authorization_endpoint: 'https://a.example.test/d', match: 'https://a.example.test/' };
    const { code, stderr } = await world.run(['add', fresh('handed'), ...flags({ ...login, ...keys })]);
    assert.deepEqual([code, /is only read, and the grant `device_code` brings a refresh token/.test(stderr)], [7, true], stderr);
  });

  describe('move', () => {
    const there = (name) => path.join(world.dir, `store-of-${name}`);
    async function kept(name) {
      return (await askAfresh(world, name)).answer.password;
    }
    async function account() {
      const name = fresh('move');
      fs.writeFileSync(accountFile(world, name), `# mine\nprovider = oauth2\n\ngrant = api_key\nmatch = ${keyAccount.match}\nstore = file`);
      assert.equal((await ask(world, { account: name, api_key: KEY }, { verb: 'store' })).code, 0);
      assert.equal((await ask(world, { account: name, client_secret: 'beside' }, { verb: 'store' })).code, 7, 'nothing to bind it to');
      return name;
    }

    test('carries the secrets, rewrites the file and leaves nothing', async () => {
      const name = await account();
      assert.equal((await world.run(['move', name, '--store=file'])).code, 2, 'they are there already');
      await world.must(['move', name, '--store=file', `--store-folder=${there(name)}`]);
      assert.equal(fs.readFileSync(accountFile(world, name), 'utf8'),
        `# mine\nprovider = oauth2\n\ngrant = api_key\nmatch = ${keyAccount.match}\nstore = file\nstore_folder = ${there(name)}\n`);
      assert.equal(await kept(name), KEY);
      fs.renameSync(there(name), `${there(name)}.away`);
      assert.equal((await askAfresh(world, name)).code, 4, 'it is nowhere else');
      fs.renameSync(`${there(name)}.away`, there(name));
    });

    test('stops where the new store cannot keep them, and all is as it was', async () => {
      const name = await account();
      const text = fs.readFileSync(accountFile(world, name), 'utf8');
      for (const to of [['credentials', `--store-folder=${world.dir}`], ['secret_service'], ['command', '--store-command=/bin/false'], ['nothing']]) {
        const { code } = await world.run(['move', name, `--store=${to[0]}`, ...to.slice(1)]);
        assert.ok(code === 4 || code === 7, `${to[0]}: ${code}`);
        assert.equal(fs.readFileSync(accountFile(world, name), 'utf8'), text);
        assert.equal(await kept(name), KEY);
      }
    });

    test('is killed at any of its calls, and the store that the file names has them', { skip: obstacle() }, async () => {
      const name = await account();
      const text = fs.readFileSync(accountFile(world, name), 'utf8');
      const args = ['move', name, '--store=file', `--store-folder=${there(name)}`];
      const { calls } = await underFire(world, args, '', { from: 'lock' });
      const last = calls.find(({ name: call, number }) => call === 'keyctl' && number > 0)?.number ?? calls.at(-1).number;
      for (let at = 0; at < last; at += STEP) {
        fs.rmSync(there(name), { recursive: true, force: true });
        fs.writeFileSync(accountFile(world, name), text);
        assert.equal((await ask(world, { account: name, api_key: KEY }, { verb: 'store' })).code, 0);
        const { fired } = await underFire(world, args, '', { from: 'lock', at });
        assert.equal(await kept(name), KEY, `killed at ${at} (${fired})`);
      }
    });
  });
});

describe('from a keyring to files and back', { skip: missing }, () => {
  let world;
  const name = unique('carried');
  const sealed = () => fs.readdirSync(path.join(world.dir, 'carried')).filter((file) => file.endsWith('.sealed'));
  before(async () => { world = await World.create({ servers: false }); });
  after(() => closeWorld(world));

  test('move takes the secrets there, and leaves none behind', async () => {
    await world.add(name, keyAccount, KEY);
    await world.must(['store', 'init']);
    const before = await itemsOf(world, name);
    assert.equal(before.length, 1);
    await world.must(['move', name, '--store=file', `--store-folder=${path.join(world.dir, 'carried')}`]);
    const [there, trial] = [sealed(), 1]; // `move` tries the store as `add` does, with what is no secret
    assert.deepEqual([await itemsOf(world, name), there.length <= 1 + trial && there.length >= 1], [[], true]);
    assert.equal((await askAfresh(world, name)).answer.password, KEY);
    await world.must(['move', name, '--store=secret_service']);
    assert.deepEqual((await itemsOf(world, name)).map(({ attributes }) => attributes), before.map(({ attributes }) => attributes));
    assert.equal(sealed().length, there.length - 1);
    assert.doesNotMatch(fs.readFileSync(accountFile(world, name), 'utf8'), /store_folder/);
    assert.equal((await askAfresh(world, name)).answer.password, KEY);
  });

  test('from a keyring that is locked nothing is moved', async () => {
    const text = fs.readFileSync(accountFile(world, name), 'utf8');
    await world.keyring.lock();
    const { code, stderr } = await world.run(['move', name, '--store=file', `--store-folder=${path.join(world.dir, 'carried')}`]);
    assert.deepEqual([code, fs.readFileSync(accountFile(world, name), 'utf8')], [4, text], stderr);
    await world.keyring.unlock();
    assert.equal((await askAfresh(world, name)).answer.password, KEY);
    assert.equal((await itemsOf(world, name)).length, 1);
  });
});
