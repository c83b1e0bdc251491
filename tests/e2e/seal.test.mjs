// SPDX-License-Identifier: MIT
//
// What a machine keeps for a store that is elsewhere, the key that values are sealed with and the password there: made, carried to
// another machine, asked for by a module in the middle of its work, and nowhere to be seen. Machines are folders of their own here.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Etcd, etcdMissing } from '../servers/etcd.mjs';
import { closeWorld } from './lib/accounts.mjs';
import { BUILD, MODULE_SOURCES, SOURCE, compile } from './lib/builds.mjs';
import { encoded, itemsOf, valueOf } from './lib/keyring-items.mjs';
import { storeExample } from './lib/store-example.mjs';
import { KEY, ask, askAfresh, assertRefused, keyAccount, unique } from './lib/small-accounts.mjs';
import { onTerminal, shellLine } from './lib/terminal.mjs';
import { Witness } from './lib/witness.mjs';
import { World } from './lib/world.mjs';

const SHIPPED = process.env.RINGBEARER_MODULE_DIR ?? path.join(BUILD, 'helper/modules/.libs');
const missing = !fs.existsSync(path.join(SHIPPED, 'store-file.so')) && 'this build has no libsodium';
const STORE = ['--store=elsewhere'];
const PASSWORD = 'a password, wïth more in it: "%41"';
const OTHER = 'F'.repeat(64);
const ENDPOINTS = ['https://b.example.test:2379', 'https://a.example.test:2379'];

let world;
let counter = 0;
const fresh = (what) => unique(`${what}-${counter += 1}`);

// A machine that has been given nothing yet: { dir, env, defaults(lines) }.
function machine(defaults) {
  const dir = path.join(world.dir, fresh('machine'));
  const env = { XDG_CONFIG_HOME: `${dir}/config`, XDG_STATE_HOME: `${dir}/state` };
  fs.mkdirSync(`${dir}/config/ringbearer/accounts`, { recursive: true, mode: 0o700 });
  if (defaults) fs.writeFileSync(`${dir}/config/ringbearer/defaults`, defaults, { mode: 0o600 });
  return {
    dir,
    env,
    seal: (words, options) => world.run(['seal', ...words], { ...options, env: { ...env, ...options?.env } }),
    must: async (words, input = '') => (await world.must(words, { env, input })).stdout,
    account: (name, keys) => fs.writeFileSync(`${dir}/config/ringbearer/accounts/${name}`,
      Object.entries({ ...keyAccount, store: 'elsewhere', ...keys }).flatMap(([key, value]) => [value].flat().map((one) => `${key} = ${one}\n`)).join(''), { mode: 0o600 }),
  };
}

// With its own store file, whose key is there.
async function prepared(defaults = 'store = elsewhere\nstore_local = file\n') {
  const made = machine(defaults);
  await made.must(['store', 'init']);
  return made;
}

const holds = (result, code, message) => {
  assert.equal(result.code, code, result.stderr);
  if (message) assert.match(result.stderr, message);
};

before(async () => {
  world = await World.create({ servers: false });
  const [modules, include] = [path.join(world.dir, 'modules'), path.join(world.dir, 'include')];
  for (const folder of [modules, include, path.join(world.dir, 'values')]) fs.mkdirSync(folder);
  for (const file of fs.readdirSync(SHIPPED).filter((one) => one.endsWith('.so'))) fs.copyFileSync(path.join(SHIPPED, file), path.join(modules, file));
  fs.symlinkSync(path.join(SOURCE, 'protocol'), path.join(include, 'ringbearer'));
  const build = (name, ...flags) => compile('-std=c11', '-Wall', '-Wextra', '-Werror', '-D_GNU_SOURCE', '-shared', '-fPIC', `-I${include}`, `-DNAME="${name}"`, ...flags,
    '-o', path.join(modules, `${name}.so`), path.join(MODULE_SOURCES, 'store-elsewhere.c'));
  await Promise.all([build('store-elsewhere'), build('store-far-away'), build('store-circle', '-DLONELY')]);
  Object.assign(world.env, { RINGBEARER_MODULE_DIR: modules, RINGBEARER_TEST_STORE: path.join(world.dir, 'values') });
});
after(() => closeWorld(world));

describe('seal, with the store file on this machine', { skip: missing }, () => {
  test('new makes a key, once; export writes it, and nothing else', async () => {
    const here = await prepared();
    holds(await here.seal(['export']), 4, /the store `file` of this machine has no key for the store `elsewhere` with the `store_prefix` \/ringbearer\/; bring it with `ringbearer seal import` .*`ringbearer seal new`\n$/);
    assert.match(await here.must(['seal', 'new']), /^The key for the store elsewhere is in the store `file`\.\nBring it .*: ringbearer seal export \| ssh HOST ringbearer seal import\n$/);
    const key = await here.must(['seal', 'export']);
    assert.match(key, /^[0-9a-f]{64}\n$/);
    assert.match(await here.must(['seal', 'new']), /^There is a key already.*`ringbearer seal export`.*`ringbearer seal import`.*--replace.*lost/);
    assert.equal(await here.must(['seal', 'export']), key);
    await here.must(['seal', 'new', '--replace']);
    assert.notEqual(await here.must(['seal', 'export']), key);
  });

  test('of many who make one at a time, one does, in a program that takes its time as well', async () => {
    const slow = path.join(world.dir, 'bin/slow');
    fs.writeFileSync(slow, `#!/bin/sh\nsleep 0.1\nexec ${storeExample(world)} "$@"\n`, { mode: 0o700 });
    const here = machine(`store = elsewhere\nstore_local = command\nstore_command = ${slow}\n`);
    const all = await Promise.all(Array.from({ length: 4 }, () => here.must(['seal', 'new'])));
    assert.equal(all.filter((one) => /^The key .* is in/.test(one)).length, 1);
    assert.match(await here.must(['seal', 'export']), /^[0-9a-f]{64}\n$/);
  });

  test('a pipe brings it to another machine, which then reads what the first one keeps', async () => {
    const [here, there] = [await prepared(), await prepared()];
    const name = fresh('shared');
    for (const each of [here, there]) each.account(name, { store_local: 'file' });
    const early = await ask(world, { account: name, api_key: KEY }, { verb: 'store', env: here.env });
    holds(early, 4, new RegExp(`has no key .*\`ringbearer seal import ${name}\`.*\`ringbearer seal new ${name}\``));
    await here.must(['seal', 'new', name]);
    holds(await ask(world, { account: name, api_key: KEY }, { verb: 'store', env: here.env }), 0);
    assertRefused(await ask(world, { account: name }, { env: there.env }), 4, 'store_unavailable');
    const env = Object.entries(there.env).map(([key, value]) => `${key}=${value}`);
    const pipe = `${shellLine([world.program, 'seal', 'export'])} | env ${shellLine([...env, world.program, 'seal', 'import'])}`;
    const { code, stdout, stderr } = await world.exec('sh', ['-c', pipe], { env: here.env });
    assert.deepEqual([code, stdout, stderr], [0, 'The key for the store elsewhere is in the store `file`.\n', '']);
    assert.equal((await askAfresh(world, name, {}, { env: there.env })).answer.password, KEY);
  });

  test('import takes one key for another only when told what it costs, and none that is none', async () => {
    const here = await prepared();
    for (const input of ['', '\n', '\r\n']) holds(await here.seal(['import'], { input }), 2, /^ringbearer: no key came in; see whether `ringbearer seal export` has written one/);
    for (const input of ['x'.repeat(64), OTHER.slice(1), `${OTHER}0`, ` ${OTHER}`, `${OTHER}\n\n`, `${OTHER}\0`, `ringbearer key 1 ${OTHER}`, 'a'.repeat(1e6)]) {
      holds(await here.seal(['import'], { input }), 2, /64 hexadecimal digits/);
    }
    holds(await here.seal(['export']), 4);
    await here.must(['seal', 'import'], `${OTHER}\r\n`);
    assert.equal(await here.must(['seal', 'export']), `${OTHER.toLowerCase()}\n`);
    assert.match(await here.must(['seal', 'import'], OTHER), /^That very key is in the store `file` already\.\n$/);
    const another = '0'.repeat(64);
    holds(await here.seal(['import'], { input: another }), 2, /has another key .* would be lost to this machine; keep what `ringbearer seal export` writes, and add --replace\n$/);
    assert.equal(await here.must(['seal', 'export']), `${OTHER.toLowerCase()}\n`);
    await here.must(['seal', 'import', '--replace'], another);
    assert.equal(await here.must(['seal', 'export']), `${another}\n`);
  });

  test('prefixes have keys of their own, and accounts of one prefix share it', async () => {
    const here = await prepared();
    await here.must(['seal', 'new']);
    holds(await here.seal(['export', '--store-prefix=/other/']), 4, /no key for the store `elsewhere` with the `store_prefix` \/other\/; .*`ringbearer seal new --store-prefix=\/other\/`/);
    const [one, two] = [fresh('one'), fresh('two')];
    for (const name of [one, two]) here.account(name);
    const exported = await here.must(['seal', 'export']);
    for (const name of [one, two]) assert.equal(await here.must(['seal', 'export', name]), exported);
  });

  test('add says what to do first, with the options that it was given', async () => {
    const here = machine();
    const options = [...STORE, '--store-local=file', `--store-folder=${here.dir}/a folder`];
    await here.must(['store', 'init', '--store=file', `--store-folder=${here.dir}/a folder`]);
    const added = () => world.run(['add', fresh('added'), '--grant=api_key', '--match=https://a.example.test/', '--secret-stdin', ...options], { env: here.env, input: KEY });
    const refused = await added();
    const [, command] = /or make the first with `ringbearer (seal new .*?)`/.exec(refused.stderr) ?? [];
    holds(refused, 4, /bring it with `ringbearer seal import --store=elsewhere --store-local=file --store-folder='/);
    assert.equal((await world.exec('sh', ['-c', `${world.program} ${command}`], { env: here.env })).code, 0);
    holds(await added(), 0);
  });

  test('the password is bound to its user and to where it may be sent', async () => {
    const here = await prepared();
    const name = fresh('password');
    const edit = (keys) => here.account(name, { store_user: 'machine', store_endpoint: ENDPOINTS, ...keys });
    const put = () => ask(world, { account: name, api_key: KEY }, { verb: 'store', env: here.env });
    await here.must(['seal', 'new']);
    edit();
    holds(await put(), 4, new RegExp(`has no password of machine .* at https://a.* https://b.*\`ringbearer seal password ${name}\``));
    assert.equal(await here.must(['seal', 'password', name], `${PASSWORD}\n`), 'The password for the store elsewhere is in the store `file`.\n');
    holds(await put(), 0);
    edit({ store_endpoint: ENDPOINTS.toReversed() });
    holds(await put(), 0);
    for (const other of [{ store_user: 'another' }, { store_endpoint: ENDPOINTS[0] }, { store_endpoint: [...ENDPOINTS, 'https://c.example.test'] }]) {
      edit(other);
      holds(await put(), 4, /has no password/);
    }
    await here.must(['seal', 'password', '--store-user=machine', ...ENDPOINTS.map((url) => `--store-endpoint=${url}`)], 'replaced');
    for (const input of ['', '\n', 'two\nlines', 'nul\0', '\x1b', Buffer.from([0x70, 0xff]), 'x'.repeat(4097)]) holds(await here.seal(['password', name], { input }), 2);
    holds(await here.seal(['password'], { input: PASSWORD }), 7, /`store_user` is not set/);
  });

  test('a module that says the key and the password is not heard', async () => {
    const here = await prepared();
    const name = fresh('loud');
    here.account(name, { store_user: 'machine', store_endpoint: ENDPOINTS });
    await here.must(['seal', 'new', name]);
    await here.must(['seal', 'password', name], PASSWORD);
    const { code, stderr } = await ask(world, { account: name, api_key: KEY }, { verb: 'store', env: { ...here.env, RINGBEARER_TRACE: '1' } });
    assert.equal(code, 0, stderr);
    assert.match(stderr, /elsewhere: key \*+, password \*+$/m);
    for (const secret of [PASSWORD, (await here.must(['seal', 'export'])).trim()]) assert.ok(!stderr.includes(secret), stderr);
  });

  test('store init, unlock and lock of such an account see to the store on this machine', async () => {
    const here = machine();
    const name = fresh('init');
    here.account(name, { store_local: 'file' });
    holds(await here.seal(['new', name]), 4, new RegExp(`run \`ringbearer store init ${name}\``));
    await here.must(['store', 'init', name]);
    await here.must(['seal', 'new', name]);
    here.account(name);
    holds(await world.run(['store', 'init', name], { env: here.env }), 2, /the store `secret_service` needs no `init`/);
  });

  test('list, doctor, move and remove take it for nobody\'s, and leave it', async () => {
    const here = await prepared('store_local = file\n');
    const name = fresh('neighbour');
    here.account(name, { store: 'file' });
    await here.must(['seal', 'new', ...STORE]);
    holds(await ask(world, { account: name, api_key: KEY }, { verb: 'store', env: here.env }), 0);
    assert.deepEqual(JSON.parse(await here.must(['list', '--json'])).map(({ account }) => account), [name]);
    assert.equal(await here.must(['list', '--passwords']), '');
    const doctor = await world.run(['doctor', name], { env: here.env });
    assert.doesNotMatch(doctor.stdout, /seal_key|store:/);
    const before = await here.must(['seal', 'export', ...STORE]);
    await here.must(['move', name, '--store=file', `--store-folder=${here.dir}/moved`, ...ENDPOINTS.map((url) => `--store-endpoint=${url}`)]);
    assert.match(fs.readFileSync(`${here.dir}/config/ringbearer/accounts/${name}`, 'utf8'), new RegExp(`^store = file\\nstore_folder = .*\\n${ENDPOINTS.map((url) => `store_endpoint = ${url}\\n`).join('')}$`, 'm'));
    await here.must(['remove', name]);
    assert.equal(await here.must(['seal', 'export', ...STORE]), before);
  });

  test('at a terminal nothing is shown that is typed, and what comes is named before it comes', async () => {
    const here = await prepared('store = elsewhere\nstore_local = file\nstore_user = machine\n');
    const typed = await onTerminal(world, ['seal', 'import'], [[/^Key for the store elsewhere \(it is not shown\): $/, `${OTHER}\n`]], { env: here.env });
    assert.deepEqual([typed.code, typed.output.includes(OTHER)], [0, false], typed.output);
    const password = await onTerminal(world, ['seal', 'password'], [[/^Password of machine for the store elsewhere \(it is not shown\): $/, `${PASSWORD}\n`]], { env: here.env });
    assert.deepEqual([password.code, password.output.includes(PASSWORD)], [0, false], password.output);
    const shown = await onTerminal(world, ['seal', 'export'], [], { env: here.env });
    assert.match(shown.output, new RegExp(`^This is the key: [^\n]+\n${OTHER.toLowerCase()}\n$`));
  });

  test('nothing of it is in arguments, environments, files or the trace', async () => {
    const here = await prepared('store = elsewhere\nstore_local = file\nstore_user = machine\n');
    const secrets = [OTHER, OTHER.toLowerCase(), PASSWORD];
    const witness = await Witness.watch(secrets);
    const trace = { env: { RINGBEARER_TRACE: '1' } };
    const results = [
      await here.seal(['import'], { input: OTHER, ...trace }), await here.seal(['import'], { input: '0'.repeat(64), ...trace }),
      await here.seal(['new'], trace), await here.seal(['password'], { input: PASSWORD, ...trace }), await here.seal(['import'], { input: `${OTHER}x`, ...trace }),
    ];
    const exported = await here.seal(['export'], trace);
    const { hits } = await witness.stop();
    assert.deepEqual(hits, []);
    assert.deepEqual(results.map(({ code }) => code), [0, 2, 0, 0, 2]);
    for (const { stdout, stderr } of [...results, { stdout: '', stderr: exported.stderr }]) {
      for (const secret of secrets) assert.ok(!`${stdout}${stderr}`.includes(secret), stderr);
    }
    assert.match(exported.stderr, /looking up the key of store:elsewhere/);
    const files = fs.readdirSync(here.dir, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
    assert.ok(files.length >= 3);
    for (const file of files) for (const secret of secrets) assert.ok(!fs.readFileSync(path.join(file.parentPath ?? file.path, file.name), 'latin1').includes(secret));
  });
});

describe('seal, with the keyring', () => {
  test('the item is one for all accounts of the store, and has a name in the keyring\'s viewer', async () => {
    const [here, there] = [machine(), await prepared()];
    const name = fresh('keyring');
    here.account(name, { store_user: 'machine', store_endpoint: ENDPOINTS });
    assert.match(await here.must(['seal', 'new', name]), /^The key for the store elsewhere is in the keyring\.$/m);
    await here.must(['seal', 'password', name], PASSWORD);
    const items = await itemsOf(world, 'store:elsewhere');
    assert.deepEqual(items.map(({ label, attributes }) => [label, attributes.kind, attributes.client_id, attributes.endpoint]).sort(), [
      ['the store elsewhere: key', 'seal_key', 'none', '/ringbearer/'],
      ['the store elsewhere: password', 'store_password', 'machine', ENDPOINTS.toSorted().join(' ')],
    ]);
    const key = (await here.must(['seal', 'export', ...STORE])).trim();
    assert.equal(await valueOf(world, { account: 'store:elsewhere', kind: 'seal_key' }), encoded(key));
    assert.equal((await here.must(['seal', 'import', name], await here.must(['seal', 'export', name]))), 'That very key is in the keyring already.\n');
    holds(await ask(world, { account: name, api_key: KEY }, { verb: 'store', env: here.env }), 0);
    if (!missing) await there.must(['seal', 'import'], key);
  });

  test('one that is locked is no missing key', async () => {
    const here = machine();
    const name = fresh('locked');
    here.account(name);
    await here.must(['seal', 'new', name]);
    await world.keyring.lock();
    try {
      assertRefused(await ask(world, { account: name }, { env: here.env }), 4, 'store_locked');
      holds(await here.seal(['new', name]), 4, /locked|dismissed|closed/);
    } finally {
      await world.keyring.unlock();
    }
  });
});

describe('seal, with what others have put there', () => {
  test('a machine is handed its key and password as credentials, and they are only read', async () => {
    const here = machine('store = elsewhere\nstore_local = credentials\nstore_user = machine\n');
    const folder = path.join(here.dir, 'credentials');
    const name = fresh('handed');
    const env = { CREDENTIALS_DIRECTORY: folder };
    fs.mkdirSync(folder);
    here.account(name);
    holds(await here.seal(['export'], { env }), 4, /has no key for the store `elsewhere`/);
    holds(await here.seal(['new'], { env }), 7, /only read here; have the key put there as elsewhere\.seal_key, as `ringbearer seal export` writes it/);
    holds(await here.seal(['password'], { env, input: PASSWORD }), 7, /have the password put there as elsewhere\.store_password/);
    fs.writeFileSync(path.join(folder, 'elsewhere.seal_key'), `${OTHER}\n`, { mode: 0o400 });
    fs.writeFileSync(path.join(folder, 'elsewhere.store_password'), PASSWORD, { mode: 0o400 });
    fs.writeFileSync(path.join(folder, 'elsewhere.endpoint'), 'https://an-account-of-that-name.example.test/\n');
    assert.equal((await here.seal(['export'], { env })).stdout, `${OTHER.toLowerCase()}\n`);
    holds(await ask(world, { account: name, api_key: KEY }, { verb: 'store', env: { ...here.env, ...env } }), 0);
    fs.rmSync(path.join(folder, 'elsewhere.seal_key'));
    fs.writeFileSync(path.join(folder, 'elsewhere.seal_key'), 'no key\n', { mode: 0o400 });
    const refused = await askAfresh(world, name, {}, { env: { ...here.env, ...env } });
    assertRefused(refused, 4, 'store_unavailable', /as the key for the store `elsewhere` is none; give it again/);
    assert.doesNotMatch(refused.stderr, /no key$/m);
  });

  test('no store that is elsewhere, and none that needs this itself, has it', async () => {
    const here = machine();
    const name = fresh('circle');
    const asked = () => ask(world, { account: name }, { env: here.env });
    here.account(name, { store_local: 'elsewhere' });
    assertRefused(await asked(), 7, 'config', /`store_local` is `elsewhere`, .*set `store_local` to secret_service, file/);
    here.account(name, { store: 'far_away', store_local: 'far-away' });
    assertRefused(await asked(), 7, 'config', /`store_local` is `far-away`, which needs a store of this machine itself/);
    here.account(name, { store_local: 'far_away' });
    assertRefused(await asked(), 7, 'config', /`store_local` is `far_away`, which many machines share/);
    here.account(name, { store_local: 'circle' });
    assertRefused(await asked(), 7, 'config', /`store_local` is `circle`, which needs a store of this machine itself/);
    here.account(name, { store_local: 'nothing' });
    assertRefused(await asked(), 7, 'module', /there is no store `nothing`/);
  });

  test('a store of this machine has no use for a key, and words that mean nothing are told', async () => {
    const here = machine();
    for (const store of ['secret_service', 'command']) holds(await here.seal(['new', `--store=${store}`]), 2, /has no use for it; .*--store=etcd/);
    for (const words of [[], ['nonsense'], ['export', '--nonsense']]) holds(await here.seal(words), 2);
    holds(await here.seal(['export', 'nobody']), 1, /there is no account/);
  });
});

describe('what people are told of a store that is elsewhere', () => {
  const inStore = (name) => path.join(world.env.RINGBEARER_TEST_STORE, name);
  const write = (name, lines) => fs.writeFileSync(inStore(name), lines.map((line) => `${line}\n`).join(''));
  const login = { provider: undefined, grant: 'device_code', client_id: 'x', client_auth: 'none', match: 'https://a.example.test/',
    token_endpoint: 'http://127.0.0.1:9/t', device_authorization_endpoint: 'http://127.0.0.1:9/d' };
  let here;
  let name;
  const shared = (names, keys) => names.forEach((each) => here.account(each, { ...login, provider: 'oauth2', ...keys }));
  const listed = async () => JSON.parse(await here.must(['list', '--json']));
  const findings = async (...words) => JSON.parse((await world.run(['doctor', ...words, '--json'], { env: here.env })).stdout).findings;
  const of = (all, subject) => all.filter((one) => one.subject === subject).map(({ state, detail, mend }) => [state, detail, ...(mend ? [mend] : [])]);
  before(async () => {
    for (const file of fs.readdirSync(world.env.RINGBEARER_TEST_STORE)) fs.rmSync(inStore(file)); // sealed with keys of others
    here = machine();
    name = fresh('told');
    shared([name]);
    holds(await here.seal(['new', name]), 0, /^$/);
  });
  after(() => { for (const file of ['view', 'describe', 'silent']) fs.rmSync(inStore(file), { force: true }); });

  test('its version, who is at it, and what is on its way, by list and by doctor', async () => {
    write('view', []);
    assert.deepEqual((await listed())[0].shared, { version: 'none: nobody has logged in', lease: 'nobody has it', shared: '0 access tokens, 0 refusals' });
    write('view', ['version 7', 'lease 9', 'holder host=mountain|since=86400', 'mark host=valley|since=90000|used=x|lease=8|sent_ms=1|sends=1', 'token-abc x', 'verdict-abc x']);
    const expected = { version: '7', lease: 'mountain since 1970-01-02 00:00:00', shared: '1 access token, 1 refusal' };
    const { 'on its way': mark, ...rest } = (await listed())[0].shared;
    assert.deepEqual(rest, expected);
    assert.match(mark, /^valley sent the refresh token at 1970-01-02 01:00:00, /);
    assert.match(await here.must(['list']), /^ {4}version: 7; lease: mountain since 1970-01-02 00:00:00; on its way: valley sent .*; shared: 1 access token, 1 refusal$/m);
    assert.deepEqual(of(await findings(name), name).filter(([, detail]) => /shared/.test(detail)).map(([state, detail]) => [state, /^its login is shared; version: 7; lease: mountain since/.test(detail)]), [['well', true]]);
  });

  test('its parts, and what is to be seen to', async () => {
    write('describe', ['endpoint https://a.example.test: leads', 'leader a']);
    const subject = 'store elsewhere';
    assert.deepEqual(of(await findings(name), subject), [['well', 'endpoint: https://a.example.test: leads'], ['well', 'leader: a'], ['well', 'answers, and is open']]);
    write('describe', ['endpoint https://a.example.test: leads', 'alarm https://b.example.test: refused; start it']);
    const result = await world.run(['doctor', name], { env: here.env });
    assert.equal(result.code, 4);
    assert.match(result.stdout, /^FAIL +store elsewhere +https:\/\/b\.example\.test: refused; start it$/m);
    assert.deepEqual(of(await findings(name), subject).map(([state]) => state), ['well', 'ill', 'well']);
  });

  test('an issuer that this machine has not asked yet is no setting that is missing', async () => {
    const [own, asks] = [here, fresh('issuer')];
    here = machine();
    try {
      const { token_endpoint: unknown, ...keys } = login; // eslint-disable-line no-unused-vars
      here.account(asks, { ...keys, provider: 'oidc', issuer: 'https://issuer.example.test' });
      assert.match((await listed())[0].shared.error, new RegExp(`has not asked the issuer yet .*\`ringbearer token ${asks}\` does$`));
    } finally {
      here = own;
    }
  });

  test('one that is silent costs list a second, however many accounts it has, and doctor says so once', async () => {
    const others = Array.from({ length: 6 }, () => fresh('silent'));
    shared([name, ...others], { timeout: 1 });
    shared([others[0]], { timeout: 1, store_endpoint: ENDPOINTS[0] }); // another store, in a way
    write('silent', []);
    const result = await world.run(['list', '--json'], { env: { ...here.env, RINGBEARER_TRACE: '1' } });
    const all = JSON.parse(result.stdout);
    assert.doesNotMatch(result.stderr, /looking at the login of/, 'the second was spent on asking who has a login');
    const doctor = await world.run(['doctor', '--json'], { env: { ...here.env, RINGBEARER_TRACE: '1' } });
    assert.doesNotMatch(doctor.stderr, /looking at the login of/, 'it was found silent before');
    const told = JSON.parse(doctor.stdout).findings;
    fs.rmSync(inStore('silent'));
    assert.equal(told.filter(({ subject, detail, state }) => subject === 'store elsewhere' && state === 'ill' && detail === 'nobody answers').length, 2, 'two stores');
    assert.equal(told.filter(({ detail }) => detail === 'its login, which machines share: the store does not say').length, 7);
    for (const each of [name, ...others.slice(1)]) {
      assert.match(all.find(({ account }) => account === each).shared.error, /does not say in time; `ringbearer doctor .*` waits longer$/, each);
    }
  });
});

describe('etcd, as people are told of it', { skip: missing || etcdMissing() }, () => {
  let etcd;
  let here;
  const name = unique('etcd');
  const login = { provider: 'oauth2', grant: 'device_code', client_id: 'x', client_auth: 'none', match: 'https://etcd.example.test/',
    token_endpoint: 'http://127.0.0.1:9/t', device_authorization_endpoint: 'http://127.0.0.1:9/d' };
  const doctor = async () => (await world.run(['doctor', name], { env: here.env })).stdout;
  const listed = async () => JSON.parse(await here.must(['list', '--json']))[0];
  before(async () => {
    etcd = await Etcd.start({ nodes: 3 });
    here = await prepared('store_local = file\n');
    here.account(name, { ...login, ...etcd.keys });
  });
  after(() => etcd?.stop());

  test('without the key, with it, and with a login', async () => {
    assert.match(await doctor(), new RegExp(`^FAIL +store etcd +.*has no key .*\`ringbearer seal import ${name}\``, 'm'));
    await here.must(['seal', 'new', name]);
    assert.deepEqual([(await listed()).state, (await listed()).shared.version], ['needs_login', 'none: nobody has logged in']);
    holds(await ask(world, { account: name, refresh_token: 'a-refresh-token' }, { verb: 'store', env: here.env }), 0);
    const one = await listed();
    assert.deepEqual([one.logged_in, /^\d+$/.test(one.shared.version), one.shared.lease], [true, true, 'nobody has it']);
    const leader = await etcd.leader();
    const text = await doctor();
    assert.equal(text.match(/^ok +store etcd +endpoint: https:/gm).length, 3, text);
    assert.match(text, new RegExp(`^ok +store etcd +leader: ${leader.name} \\(${leader.url}\\)$`, 'm'));
    assert.match(text, new RegExp(`^ok +${name} +its login is shared; version: \\d+; lease: nobody has it; shared: 0 access tokens, 0 refusals$`, 'm'));
    assert.doesNotMatch(text, /a-refresh-token/);
    const there = await prepared('store_local = file\n');
    there.account(name, { ...login, ...etcd.keys });
    assert.match(JSON.parse(await there.must(['list', '--json']))[0].shared.error, new RegExp(`has no key .*\`ringbearer seal import ${name}\``));
    await there.must(['seal', 'import', name], await here.must(['seal', 'export', name]));
    assert.deepEqual(JSON.parse(await there.must(['list', '--json']))[0].shared, one.shared);
  });

  test('whoever makes a second key is told at once, and by doctor', async () => {
    const there = await prepared('store_local = file\n');
    there.account(name, { ...login, ...etcd.keys });
    holds(await there.seal(['new', name]), 0, new RegExp(`^ringbearer: what the store etcd has already was sealed with another key; .*\`ringbearer seal import ${name} --replace\` here\n$`));
    assert.match((await world.run(['doctor', name], { env: there.env })).stdout, /^FAIL +.*sealed with another key.*`ringbearer seal import --replace` here$/m);
    await there.must(['seal', 'import', name, '--replace'], await here.must(['seal', 'export', name]));
    holds(await world.run(['refresh', name], { env: there.env }), 5);
    assert.doesNotMatch((await world.run(['doctor', name], { env: there.env })).stdout, /another key/);
  });

  test('a node that is down is named, and a cluster that is, once', async () => {
    const [first, ...rest] = etcd.nodes;
    await first.kill();
    await etcd.leader();
    const text = await doctor();
    assert.match(text, new RegExp(`^FAIL +store etcd +${first.url}: .*; start it, or take it out of \`store_endpoint\`$`, 'm'));
    assert.match(text, /^ok +store etcd +answers, and is open$/m);
    here.account(name, { ...login, ...etcd.keys, timeout: 1 });
    for (const node of rest) node.pause();
    try {
      const one = await listed();
      assert.ok(one.shared.error, JSON.stringify(one));
      assert.match(await doctor(), /its login, which machines share: the store does not say$/m);
    } finally {
      for (const node of rest) node.resume();
    }
  });
});
