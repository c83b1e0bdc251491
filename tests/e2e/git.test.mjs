// SPDX-License-Identifier: MIT
//
// The real git and ringbearer: clone, fetch and push against git's own server, which asks the authorization
// server about each token. What git stores for places without an account: git-storage.test.mjs.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { startGitServer } from '../servers/git-server.mjs';
import { addGeneric, afresh, closeWorld } from './lib/accounts.mjs';
import { BUILD } from './lib/builds.mjs';
import { ASKED, Git, atLeast, gitVersion, helper } from './lib/git.mjs';
import { itemsOf } from './lib/keyring-items.mjs';
import { block } from './lib/readme.mjs';
import { unique } from './lib/small-accounts.mjs';
import { until } from './lib/until.mjs';
import { World } from './lib/world.mjs';

const version = await gitVersion();
const skip = version ? false : 'git is missing';
const schemes = { Basic: skip, Bearer: atLeast(version, 2, 46) ? false : 'git 2.46 or newer is missing' };
let world;
let git;
let folders = 0;

before(async () => {
  world = await World.create();
  git = new Git(world);
  if (!skip) await seed();
});
after(() => closeWorld(world));
afterEach(() => git.prompts());

const certificates = () => path.join(world.dir, 'certificates');
const repositories = () => path.join(world.dir, 'repositories');
const folder = () => { folders += 1; return path.join(world.dir, `clone-${folders}`); };
const alive = async ({ secret }) => (await world.api('/rest/v2/segments', secret)).status === 200;

// Two repositories with one commit each; whoever is let in may push.
async function seed() {
  const work = folder();
  const must = async (...args) => assert.equal((await git.run(args)).code, 0, args.join(' '));
  await must('init', '-q', '-b', 'main', work);
  await must('-C', work, 'commit', '-q', '--allow-empty', '-m', 'first');
  for (const name of ['acme/tools.git', 'other/to ols.git']) await must('clone', '-q', '--bare', work, path.join(repositories(), name));
}

async function withServer(scheme, check, work) {
  const server = await startGitServer({ root: repositories(), certificates: certificates(), scheme, check });
  try {
    return await work(server);
  } finally {
    await server.stop();
  }
}

const config = { 'credential.helper': 'ringbearer' };
async function works(args, options) {
  const result = await git.run(args, { config, ...options });
  assert.equal(result.code, 0, `git ${args.join(' ')}: ${result.stderr}`);
  return result;
}
const tokensAt = (server) => [...new Set(server.seen.filter(({ status }) => status === 200).map(({ secret }) => secret))];

for (const scheme of Object.keys(schemes)) {
  describe(`a server that wants ${scheme}`, { skip: schemes[scheme] }, () => {
    let server;
    let account;
    beforeEach(async () => {
      server = await startGitServer({ root: repositories(), certificates: certificates(), scheme, check: alive });
      account = unique(`git-${scheme.toLowerCase()}-${folders}`);
      await addGeneric(world, account, { match: `${server.url}/` });
    });
    afterEach(async () => {
      await server.stop();
      await afresh(world, account);
      await world.must(['remove', account]);
      await world.control.ttl({ access: 3600 });
    });

    test('clone, push and fetch with one token, and nobody is asked', async () => {
      const [one, two] = [folder(), folder()];
      for (const clone of [one, two]) await works(['clone', '-q', `${server.url}/acme/tools.git`, clone]);
      await works(['-C', one, 'commit', '-q', '--allow-empty', '-m', `by ${account}`]);
      await works(['-C', one, 'push', '-q']);
      await works(['-C', two, 'pull', '-q']);
      assert.equal((await git.run(['-C', two, 'log', '-1', '--format=%s'])).stdout, `by ${account}\n`);
      assert.equal(tokensAt(server).length, 1);
      assert.deepEqual(git.prompts(), []);
      assert.deepEqual(await itemsOf(world, server.url), [], 'the token is not stored as a password');
    });

    test('a token that expires in between is not even sent', async () => {
      await world.control.ttl({ access: 2 });
      const clone = folder();
      await works(['clone', '-q', `${server.url}/acme/tools.git`, clone]);
      const [first] = tokensAt(server);
      await until(async () => !await alive({ secret: first }), 'the token expires');
      const before401 = server.seen.length;
      await works(['-C', clone, 'fetch', '-q']);
      assert.equal(tokensAt(server).length, 2);
      assert.equal(server.seen.slice(before401).some(({ secret }) => secret === first), false);
    });

    test('a token that was revoked in between is refused once, and never again', async () => {
      const clone = folder();
      await works(['clone', '-q', `${server.url}/acme/tools.git`, clone]);
      const [first] = tokensAt(server);
      await world.control.expire('ClientCredentials');
      assert.notEqual((await git.run(['-C', clone, 'fetch', '-q'], { config })).code, 0, 'git gives up on a refused credential');
      await works(['-C', clone, 'fetch', '-q']);
      assert.equal(tokensAt(server).length, 2);
      assert.equal(server.seen.filter(({ secret, status }) => secret === first && status === 401).length, 1);
      assert.deepEqual(git.prompts(), []);
    });
  });
}

describe('several accounts on one host', { skip }, () => {
  test('by user name', () => withServer('Basic', alive, async (server) => {
    const names = ['ada', 'bob'];
    for (const username of names) await addGeneric(world, unique(`git-${username}`), { match: `${server.url}/`, username });
    for (const username of names) await works(['clone', '-q', `${server.url.replace('://', `://${username}@`)}/acme/tools.git`, folder()]);
    const welcome = server.seen.filter(({ status }) => status === 200);
    assert.deepEqual([...new Set(welcome.map(({ user }) => user))], names);
    assert.equal(tokensAt(server).length, 2, 'each has its own token');
    assert.deepEqual(git.prompts(), []);
  }));

  test('by path, with useHttpPath', () => withServer('Basic', alive, async (server) => {
    const places = { acme: 'acme/tools.git', other: 'other/to%20ols.git' };
    for (const group of Object.keys(places)) await addGeneric(world, unique(`git-path-${group}`), { match: `${server.url}/${group}/`, username: group });
    const options = { config: { ...config, 'credential.useHttpPath': 'true' } };
    for (const place of Object.values(places)) await works(['clone', '-q', `${server.url}/${place}`, folder()], options);
    for (const group of Object.keys(places)) {
      const users = server.seen.filter((one) => one.status === 200 && one.path.startsWith(`/${group}/`)).map(({ user }) => user);
      assert.deepEqual([...new Set(users)], [group]);
    }
    assert.deepEqual(git.prompts(), []);
  }));
});

describe('a server without an account', { skip }, () => {
  test('asks a person once, until the password changes', () => {
    const passwords = new Set([ASKED]);
    return withServer('Basic', ({ secret }) => passwords.has(secret), async (server) => {
      const clone = folder();
      await works(['clone', '-q', `${server.url}/acme/tools.git`, clone]);
      assert.equal(git.prompts().length, 2, 'user name and password');
      await works(['-C', clone, 'fetch', '-q']);
      assert.deepEqual(git.prompts(), []);
      passwords.clear();
      assert.notEqual((await git.run(['-C', clone, 'fetch', '-q'], { config })).code, 0);
      passwords.add(ASKED);
      await works(['-C', clone, 'fetch', '-q']);
      assert.equal(git.prompts().length, 2, 'the refused one was forgotten');
    });
  });
});

// What git says from 2.46 on, written by hand where git is older.
describe('the words of git 2.46', { skip }, () => {
  test('announced, used, refused with a challenge, erased, asked again', () => withServer('Bearer', alive, async (server) => {
    const account = unique('git-wire');
    await addGeneric(world, account, { match: `${server.url}/` });
    const place = { capability: ['authtype', 'state'], protocol: 'https', host: new URL(server.url).host, wwwauth: ['Bearer realm="git"'] };
    const clone = (token) => git.run(['-c', `http.extraHeader=Authorization: Bearer ${token}`, 'clone', '-q', `${server.url}/acme/tools.git`, folder()]);
    const first = (await helper(world, 'get', place)).answer;
    assert.deepEqual([first['capability[]'], first.authtype, first.ephemeral], [['authtype', 'state'], 'Bearer', '1']);
    assert.equal((await clone(first.credential)).code, 0);
    const said = { ...place, authtype: 'Bearer', credential: first.credential, ephemeral: '1', password_expiry_utc: first.password_expiry_utc };
    assert.deepEqual((({ code, stdout, stderr }) => [code, stdout, stderr])(await helper(world, 'store', said)), [0, '', '']);
    assert.equal((await helper(world, 'get', place)).answer.credential, first.credential);
    await world.control.expire('ClientCredentials');
    assert.notEqual((await clone(first.credential)).code, 0);
    const refused = { ...said, wwwauth: ['Bearer realm="git", error="invalid_token"'] };
    assert.deepEqual((({ code, stdout, stderr }) => [code, stdout, stderr])(await helper(world, 'erase', refused)), [0, '', '']);
    const second = (await helper(world, 'get', place)).answer;
    assert.notEqual(second.credential, first.credential);
    assert.equal((await clone(second.credential)).code, 0);
  }));

  test('refused within one command: `state` comes back, another token is there, and a second refusal ends it', async () => {
    const account = unique('git-state');
    await addGeneric(world, account, { match: 'https://state.example.com/' });
    const place = { capability: ['authtype', 'state'], protocol: 'https', host: 'state.example.com', wwwauth: ['Bearer realm="git"'] };
    const first = (await helper(world, 'get', place)).answer;
    assert.equal(first.continue, '1', 'git comes back instead of giving up');
    assert.match(first['state[]'][0], /^ringbearer:\d+$/);
    const second = (await helper(world, 'get', { ...place, state: first['state[]'] })).answer;
    assert.notEqual(second.credential, first.credential);
    assert.equal(second.continue, undefined, 'the next refusal is reported');
    const late = (await helper(world, 'get', { ...place, state: ['other:1', ...first['state[]']] })).answer;
    assert.equal(late.credential, second.credential, 'who was refused with the first gets what is there');
    const older = (await helper(world, 'get', { ...place, capability: ['authtype'] })).answer;
    assert.deepEqual([older.continue, older['state[]']], [undefined, undefined]);
  });

  test('where a login has ended, nobody is asked for a user name and a password', async () => {
    const account = unique('git-quit');
    world.account(account, { provider: 'oauth2', grant: 'authorization_code', client_auth: 'none', client_id: 'made-up', authorization_endpoint: 'https://login.example.com/a', token_endpoint: 'https://login.example.com/t', match: 'https://quit.example.com/' });
    const { code, stderr } = await git.credential('fill', { protocol: 'https', host: 'quit.example.com' });
    assert.notEqual(code, 0);
    assert.match(stderr, new RegExp(`ringbearer login ${account}`));
    assert.deepEqual(git.prompts(), []);
    const said = await helper(world, 'get', { protocol: 'https', host: 'quit.example.com' });
    assert.deepEqual([said.code, said.stdout], [3, 'quit=1\n']);
    assert.equal((await world.request({ protocol: 'https', host: 'quit.example.com' })).stdout, '', 'only git is told so');
    assert.equal((await helper(world, 'get', { protocol: 'https', host: 'elsewhere.example.com' })).stdout, '', 'other hosts are asked for');
  });

  test('a server that offers Basic alone gets the token as a password, which no helper keeps', async () => {
    const place = 'https://basic.example.com';
    await addGeneric(world, unique('git-wire-basic'), { match: `${place}/`, username: 'robot' });
    const said = { capability: ['authtype', 'state'], protocol: 'https', host: 'basic.example.com', wwwauth: ['Negotiate', 'Basic realm="git"'] };
    const { answer } = await helper(world, 'get', said);
    assert.deepEqual([answer.authtype, answer.username, answer.ephemeral, answer['capability[]']], [undefined, 'robot', '1', ['authtype', 'state']]);
    assert.ok(await alive({ secret: answer.password }));
    const both = (await helper(world, 'get', { ...said, wwwauth: [...said.wwwauth, 'Bearer realm="git"'] })).answer;
    assert.deepEqual([both.authtype, both.credential, both.password], ['Bearer', answer.password, undefined]);
  });

  test('capability; words to come; no word at all', async () => {
    const said = async (...args) => (({ code, stdout, stderr }) => [code, stdout, stderr])(await world.exec('git-credential-ringbearer', args));
    assert.deepEqual(await said('capability'), [0, 'version 0\ncapability authtype\ncapability state\n', '']);
    assert.deepEqual(await said('--interactive', 'capability'), [0, 'version 0\ncapability authtype\ncapability state\n', '']);
    assert.deepEqual(await said('future'), [0, '', '']);
    assert.equal((await said())[0], 2);
  });
});

describe('setup', { skip }, () => {
  const setup = (args, { env, ...options } = {}) => world.run(['setup', 'git', ...args], { ...options, env: { ...git.env, ...env } });
  const helpers = async (...where) => (await git.run([...where, 'config', '--get-all', 'credential.helper'])).stdout.split('\n').slice(0, -1);
  afterEach(() => fs.rmSync(path.join(world.env.HOME, '.gitconfig'), { force: true }));

  test("the README's words: one line, and a clone", () => withServer('Basic', alive, async (server) => {
    await addGeneric(world, unique('git-readme'), { match: `${server.url}/` });
    const words = block('git').replace('https://git.example.com', server.url);
    assert.notEqual(words, block('git'));
    const done = await world.exec('sh', ['-ec', words], { cwd: world.dir, env: git.env });
    assert.equal(done.code, 0, done.stderr);
    assert.ok(fs.existsSync(path.join(world.dir, 'tools', '.git')));
    assert.deepEqual(await helpers(), ['ringbearer']);
  }));

  test('again and again it is one line; options replace it, other helpers stay', async () => {
    await git.run(['config', '--global', 'credential.helper', 'cache --timeout=9']);
    const first = await setup(['--global']);
    assert.deepEqual([first.code, first.stderr], [0, '']);
    assert.match(first.stdout, /^credential\.helper = ringbearer \(global\)\nasked before it: cache --timeout=9 \(global\)\n/);
    assert.equal((await setup(['--global'])).stdout, first.stdout);
    assert.deepEqual(await helpers(), ['cache --timeout=9', 'ringbearer']);
    assert.match((await setup(['--global', '--interactive'])).stdout, /^credential\.helper = ringbearer --interactive \(global\)$/m);
    assert.deepEqual(await helpers(), ['cache --timeout=9', 'ringbearer --interactive']);
    await git.run(['config', '--global', '--replace-all', 'credential.helper', '/opt/bin/git-credential-ringbearer', '^ringbearer']);
    await setup(['--global']);
    assert.deepEqual(await helpers(), ['cache --timeout=9', 'ringbearer']);
  });

  test('every other helper is named, before it and behind, with how to be rid of it', async () => {
    const add = (key, value) => git.run(['config', '--global', '--add', key, value]);
    await add('credential.helper', 'forgotten');
    await add('credential.helper', '');
    await add('credential.helper', "!f() { echo 'it'; }; f");
    await add('credential.helper', 'ringbearer');
    await add('credential.https://git.example.com.helper', 'store --file x');
    await add('credential.helper', 'store');
    const lines = (await setup(['--global'])).stdout.split('\n').slice(0, -1);
    const named = lines.filter((line) => !line.startsWith('  '));
    assert.deepEqual(named, ['credential.helper = ringbearer (global)', "asked before it: !f() { echo 'it'; }; f (global)",
      'asked after it: store (global)', 'asked after it, for https://git.example.com alone: store --file x (global)']);
    const advice = lines.filter((line) => line.startsWith('  '));
    assert.equal(advice.length, atLeast(version, 2, 46) ? 0 : 3);
    if (advice.length === 0) return;
    assert.match(advice[1], new RegExp(`^  git ${version[0]}\\.${version[1]} has it keep ringbearer's tokens on the disk; remove it: git config `));
    for (const line of advice) assert.equal((await world.exec('sh', ['-c', line.replace(/^.*?: /, '')], { env: git.env })).code, 0, line);
    assert.deepEqual(await helpers(), ['forgotten', '', 'ringbearer']);
    assert.equal((await setup(['--global'])).stdout, 'credential.helper = ringbearer (global)\n');
  });

  test('an empty line behind it makes git forget it, and that is said', async () => {
    await git.run(['config', '--global', '--add', 'credential.helper', 'ringbearer']);
    await git.run(['config', '--global', '--add', 'credential.https://git.example.com.helper', '']);
    const [, alone] = (await setup(['--global'])).stdout.split('\n');
    assert.match(alone, /^credential\.https:\/\/git\.example\.com\.helper \(global\) has an empty line behind it: git forgets ringbearer there;/);
    await git.run(['config', '--global', '--add', 'credential.helper', '']);
    const lost = await setup(['--global']);
    assert.match(lost.stdout, /\ncredential\.helper \(global\) has an empty line behind it: git forgets ringbearer;/);
  });

  test('without --global: the repository around', async () => {
    const repository = folder();
    await git.run(['init', '-q', repository]);
    assert.equal((await setup([], { cwd: repository })).stdout, 'credential.helper = ringbearer (local)\n');
    assert.deepEqual(await helpers('-C', repository), ['ringbearer']);
    assert.deepEqual(await helpers(), []);
    const outside = await setup([], { cwd: world.dir });
    assert.deepEqual([outside.code, outside.stdout], [7, '']);
    assert.match(outside.stderr, /^ringbearer: git knows no repository of yours here; .* --global\n$/);
  });

  test('not on PATH: the line has the path, and git finds it there', async () => {
    const [odd, bare] = ['program files', 'git alone'].map((name) => path.join(world.dir, name));
    for (const name of [odd, bare]) fs.mkdirSync(name);
    fs.symlinkSync((await world.exec('sh', ['-c', 'command -v git'])).stdout.trim(), path.join(bare, 'git'));
    for (const name of ['ringbearer', 'ringbearer-whole']) fs.copyFileSync(path.join(BUILD, 'helper', name), path.join(odd, name));
    const elsewhere = { env: { ...git.env, PATH: bare } };
    const lost = await world.exec(path.join(odd, 'ringbearer'), ['setup', 'git', '--global'], elsewhere);
    const [, installed] = /^credential\.helper = (.*) \(global\)$/m.exec(lost.stdout) ?? [];
    if (installed) assert.ok(fs.existsSync(installed), 'ringbearer is installed on this machine');
    else assert.deepEqual([lost.code, /neither on PATH nor/.test(lost.stderr)], [7, true], lost.stderr);
    if (installed) return;
    fs.symlinkSync('ringbearer', path.join(odd, 'git-credential-ringbearer'));
    for (let i = 0; i < 2; i += 1) {
      const done = await world.exec(path.join(odd, 'ringbearer'), ['setup', 'git', '--global', '--interactive'], elsewhere);
      assert.equal(done.code, 0, done.stderr);
    }
    assert.deepEqual(await helpers(), [`!'${odd}/git-credential-ringbearer' --interactive`]);
    const keys = { protocol: 'https', host: 'odd.example.com', username: 'ada' };
    const talk = (verb, more) => git.run(['credential', verb], { input: Object.entries({ ...keys, ...more }).map(([k, v]) => `${k}=${v}\n`).join(''), env: { PATH: bare } });
    await talk('approve', { password: 'found' });
    assert.match((await talk('fill')).stdout, /^password=found$/m);
  });

  test('where nothing can keep a password, that is said, with what helps; and helps', async () => {
    const bare = await World.create({ keyring: 'nobus', servers: false });
    try {
      const done = () => bare.run(['setup', 'git', '--global'], { env: { ...git.env, HOME: bare.env.HOME } });
      const defaults = path.join(bare.env.XDG_CONFIG_HOME, 'ringbearer/defaults');
      const first = await done();
      assert.deepEqual([first.code, first.stdout], [0, 'credential.helper = ringbearer (global)\n']);
      assert.match(first.stderr, /^ringbearer: git's passwords have no place to be kept in: the keyring cannot be reached: .*; or run `ringbearer store init`, and write `store = file` into .*\n$/);
      assert.ok(first.stderr.includes(`into ${defaults}\n`), first.stderr);
      await bare.must(['store', 'init']);
      fs.mkdirSync(path.dirname(defaults), { recursive: true });
      fs.writeFileSync(defaults, 'store = file\n');
      assert.deepEqual(await done().then(({ code, stderr }) => [code, stderr]), [0, '']);
    } finally {
      await closeWorld(bare);
    }
  });

  test('what it cannot set up, and where git is missing', async () => {
    for (const args of [['setup'], ['setup', 'nothing'], ['setup', 'git', 'more'], ['setup', 'git', '--bogus']]) {
      const { code, stdout, stderr } = await world.run(args);
      assert.deepEqual([args, code, stdout], [args, 2, ''], stderr);
    }
    const none = await setup(['--global'], { env: { PATH: `${world.dir}/bin` } });
    assert.deepEqual([none.code, /install git/.test(none.stderr)], [7, true], none.stderr);
  });
});
