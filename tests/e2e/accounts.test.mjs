// SPDX-License-Identifier: MIT
//
// Account and provider files: what `add` takes and refuses, all or nothing; which files are believed;
// the layers of the user, the system and the package.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { accountFile, closeWorld } from './lib/accounts.mjs';
import { relink } from './lib/builds.mjs';
import { canUnshare, isRoot, withReadOnly } from './lib/confined.mjs';
import { encoded, itemsOf, valueOf } from './lib/keyring-items.mjs';
import { KEY, PLACE, addKey, ask, assertRefused, keyAccount, unique } from './lib/small-accounts.mjs';
import { World } from './lib/world.mjs';

const TOKEN = 'https://login.example.test/token';
const NOBODY = 65534;
const key = ['--provider=oauth2', '--grant=api_key', `--match=${PLACE}`];
const client = ['--provider=oauth2', '--grant=client_credentials', '--client-id=x', `--token-endpoint=${TOKEN}`];
let world;
let counter = 0;

const next = () => { counter += 1; return unique(`account-${counter}`); };
const add = (name, flags, secret = KEY) => world.run(['add', name, ...flags, '--secret-stdin'], { input: secret });
const nothingOf = async (name) => {
  assert.equal(fs.existsSync(accountFile(world, name)), false);
  assert.deepEqual(await itemsOf(world, name), []);
};
const failed = (result, code, message) => {
  assert.deepEqual([result.code, result.stdout], [code, ''], result.stderr);
  assert.match(result.stderr, /^ringbearer: [^\n]+\n$/);
  assert.doesNotMatch(result.stderr, /line 0/);
  if (message) assert.match(result.stderr, message);
};

before(async () => { world = await World.create({ servers: false }); });
after(() => closeWorld(world));

describe('add', () => {
  test('writes the file and the secret, for nobody else to read', async () => {
    const name = next();
    const { stdout, stderr } = await world.must(['add', name, ...key, '--username=me', '--timeout=5', '--secret-stdin'], { input: `${KEY}\n` });
    assert.deepEqual([stdout, stderr], [`${name}: added; try \`ringbearer token ${name} --show\`\n`, '']);
    const text = fs.readFileSync(accountFile(world, name), 'utf8');
    assert.equal(text.replaceAll(' ', ''), `provider=oauth2\ngrant=api_key\nmatch=${PLACE}\nusername=me\ntimeout=5\n`);
    assert.equal(fs.statSync(accountFile(world, name)).mode & 0o7777, 0o600);
    assert.equal(fs.statSync(path.dirname(accountFile(world, name))).mode & 0o7777, 0o700);
    assert.deepEqual(fs.readdirSync(path.dirname(accountFile(world, name))).filter((file) => file.startsWith('.')), []);
    assert.equal(await valueOf(world, { account: name }), encoded(KEY));
  });

  test('an account without a secret is not asked for one', async () => {
    const name = next();
    await world.must(['add', name, ...client, '--client-auth=none']);
    assert.deepEqual(await itemsOf(world, name), []);
  });

  test('a grant that needs a login says so', async () => {
    for (const flags of [['--provider=codeberg', '--grant=authorization_code'], ['--provider=github', '--grant=device_code']]) {
      const name = next();
      assert.equal((await add(name, [...flags, '--client-id=x'])).stdout, `${name}: added; now run \`ringbearer login ${name}\`\n`);
    }
  });

  test('an account that is there is not touched', async () => {
    const name = await addKey(world, next());
    const text = fs.readFileSync(accountFile(world, name));
    failed(await add(name, [...key, '--username=other'], 'other'), 2, new RegExp(`already an account.*ringbearer remove ${name}`));
    assert.deepEqual([fs.readFileSync(accountFile(world, name)), await valueOf(world, { account: name })], [text, encoded(KEY)]);
  });

  const wrong = {
    'an option it does not know': [2, /--clint-id/, [...key, '--clint-id=x']],
    'a secret as an option': [2, /--client-secret/, [...client, '--client-secret=x']], 'one by its short name': [2, /a secret is not given as an option; leave --secret out/, [...client, '--secret=x']], 'two names': [2, /takes one argument, the account/, [...key, 'more']],
    'a newline in a value': [2, /newline/, [...key, '--username=a\nb']],
    'a value twice': [7, /`username` stands there twice/, [...key, '--username=a', '--username=b']],
    'no grant': [7, /`grant` is missing; add --grant= with one of authorization_code, device_code, client_credentials, api_key$/m, ['--provider=oauth2', `--match=${PLACE}`]],
    'no grant, for a service that takes some': [7, /`grant` is missing; add --grant= with one of authorization_code, device_code, api_key$/m, ['--provider=github']],
    'no such provider': [7, /provider `nonsense`/, ['--provider=nonsense', '--grant=api_key']],
    'a provider elsewhere': [7, /`provider` cannot be|no name of a provider/, ['--provider=../oauth2', '--grant=api_key']],
    'no such grant': [7, /there is no grant `nonsense`; there are: api_key, authorization_code, client_credentials, device_code; or install .*grant-nonsense\.so/, ['--grant=nonsense']],
    'a grant that is nearly one': [7, /there is no grant `apikey`; did you mean `api_key`\? There are: api_key, /, ['--grant=apikey']],
    'an API key for no place': [7, /`match` is not set/, ['--provider=oauth2', '--grant=api_key']],
    'a client without endpoint': [7, /`token_endpoint` is not set/, ['--provider=oauth2', '--grant=client_credentials']],
    'a client without a name': [7, /`client_id` is not set; add --client-id=ID$/m, ['--provider=oauth2', '--grant=client_credentials', `--token-endpoint=${TOKEN}`]],
    'a public client without a name': [7, /`client_id` is not set/, ['--provider=codeberg', '--grant=authorization_code']],
    'a public client without endpoint': [7, /`token_endpoint` is not set.*issuer/, ['--provider=keycloak', '--grant=authorization_code', '--client-id=x']],
    'a login that leads nowhere': [7, /`authorization_endpoint` is not set/, ['--grant=authorization_code', '--client-id=x', `--token-endpoint=${TOKEN}`]],
    'a device login that leads nowhere': [7, /`device_authorization_endpoint` is not set/, ['--provider=codeberg', '--grant=device_code', '--client-id=x']],
    'Google without a scope': [7, /`scope` is not set; add --scope=SCOPES$/m, ['--provider=google', '--grant=authorization_code', '--client-id=x']],
    'Microsoft without a scope': [7, /`scope` is not set/, ['--provider=microsoft', '--tenant=x.test', '--grant=client_credentials', '--client-id=x']],
    'no tenant where there must be one': [7, /needs `tenant`/, ['--provider=blueconic', '--grant=client_credentials']],
    'a tenant that the provider has no place for': [7, /the provider `github` does not use `tenant`, and secrets would not go to `git\.example\.com`;/, ['--provider=github', '--tenant=git.example.com', '--grant=authorization_code', '--client-id=x']],
    'a tenant and no provider': [7, /does not use `tenant`/, [...key, '--tenant=acme']],
    'a tenant that leaves its place': [7, /`tenant` goes into the provider's URLs/, ['--provider=blueconic', '--grant=client_credentials', '--tenant=evil.test/x']],
    'a tenant that leads up': [7, /`tenant` cannot be/, ['--provider=forgejo', '--grant=authorization_code', '--client-id=x', '--tenant=evil.test/../x']],
    'an endpoint over http': [7, /`token_endpoint` must be https/, ['--grant=client_credentials', '--token-endpoint=http://login.example.test/']],
    'an endpoint at localhost by name': [7, /must be https/, [...client, '--revocation-endpoint=http://localhost/']],
    'an endpoint with a fragment': [7, /fragment/, [...client, '--issuer=https://x.test/#y']],
    'an endpoint with a user': [7, /user name/, [...client, '--revocation-endpoint=https://me@x.test/']],
    'a match that is no URL': [7, /`api.example.test` is no URL/, [...key, '--match=api.example.test']],
    'a store elsewhere': [7, /`store` cannot be/, [...key, '--store=../../tmp/x']],
    'a plain proof key': [7, /`pkce` cannot be `plain`; it takes S256/, [...key, '--pkce=plain']],
    'a comment behind a value': [7, /the command line: a comment behind the value of `username`/, [...key, '--username=me #1']],
    'an empty value': [7, /`client_id` is empty/, [...key, '--client-id=']],
    'a control character': [7, /without control characters/, [...key, '--username=a\x1b[2J']],
    'client_auth=jwt': [7, /it takes client_secret_basic\|client_secret_post\|none/, [...client, '--client-auth=jwt']],
    'send_scope=maybe': [7, /yes or no/, [...key, '--send-scope=maybe']],
    'timeout=0': [7, /1 to 86400/, [...key, '--timeout=0']],
    'timeout=86401': [7, /1 to 86400/, [...key, '--timeout=86401']],
    'timeout=5s': [7, /1 to 86400/, [...key, '--timeout=5s']],
    'renew_ahead=100%': [7, /1% to 99%/, [...key, '--renew-ahead=100%']],
    'renew_ahead=0': [7, /1% to 99%/, [...key, '--renew-ahead=0']],
    'a relative ca_file': [7, /absolute path/, [...key, '--ca-file=ca.pem']], 'ip_version=5': [7, /any\|4\|6/, [...key, '--ip-version=5']],
  };
  for (const [what, [code, message, flags]] of Object.entries(wrong)) {
    test(`refuses ${what}`, async () => {
      const name = next();
      failed(await add(name, flags), code, message);
      await nothingOf(name);
    });
  }

  test('names of accounts', async () => {
    for (const name of ['a', `A9._@-${process.pid}`, `x@y.test-${process.pid}`, unique('z').padEnd(64, 'z')]) {
      await addKey(world, name);
      assert.equal((await ask(world, { account: name })).answer.password, KEY);
      await world.must(['remove', name]);
    }
    for (const name of ['', '.x', '-x', 'a/b', '..', 'a b', 'a\nb', 'ä', 'a:b', 'x'.repeat(65)]) {
      const result = await world.run(['add', ...key, '--secret-stdin', '--', name], { input: KEY });
      failed(result, 2, /no name of an account/);
    }
  });

  test('is all or nothing: the file cannot be written', async (t) => {
    const name = next();
    await addKey(world, next());
    if (isRoot && !await canUnshare()) return t.skip('no mount namespaces here');
    const folder = path.dirname(accountFile(world, name));
    failed(await withReadOnly(world, folder, ['add', name, ...key, '--secret-stdin'], { input: KEY }), 7, /cannot be written/);
    await nothingOf(name);
    fs.symlinkSync('nowhere', accountFile(world, name));
    failed(await add(name, key), 7, /cannot be written/);
    assert.deepEqual([fs.readlinkSync(accountFile(world, name)), await itemsOf(world, name)], ['nowhere', []]);
    fs.unlinkSync(accountFile(world, name));
    return undefined;
  });
});

describe('which files are believed', () => {
  const good = `# a comment\n\n  provider=oauth2  \n\tgrant = api_key\nmatch =   ${PLACE}\n`;
  const texts = {
    'a comment behind a value': ['username = me # not you', /line 6: a comment behind the value of `username` would be part of it; give it a line of its own/],
    'an unknown key': ['mach = x', /there is no key `mach`; did you mean `match`\?/],
    'another': ['clientid = x', /did you mean `client_id`\?/],
    'a line without =': ['nonsense', /line 6: has no `=`/],
    'an empty key': ['= x', /empty key/],
    'a key twice': ['grant = api_key', /`grant` stands there twice/],
    CRLF: ['username = me\r', /carriage return/],
    'a NUL': ['username = a\0b', /NUL/],
    'more than 64 KB': [`# ${'x'.repeat(1000)}\n`.repeat(70), /longer than 65536 bytes/],
    'a bad value': ['timeout = soon', /line 6: `timeout` cannot be `soon`/],
    ...Object.fromEntries(['client_secret', 'refresh_token', 'api_key', 'access_token', 'password'].map((word) => [
      `a ${word}`, [`${word} = x`, new RegExp(`must not hold a secret; remove \`${word}\`.*\`ringbearer secret account-`)],
    ])),
  };
  for (const [what, [line, message]] of Object.entries(texts)) {
    test(`refused: ${what}`, async () => {
      const name = await addKey(world, next());
      world.account(name, `${good}${line}\n`);
      assertRefused(await ask(world, { account: name }), 7, 'config', message);
      world.account(name, good);
      assert.equal((await ask(world, { account: name })).answer.password, KEY);
    });
  }

  const files = {
    'the group can write': [(file) => fs.chmodSync(file, 0o660), /chmod go-w/],
    'everybody can write': [(file) => fs.chmodSync(file, 0o602), /chmod go-w/],
    'a folder': [(file) => { fs.unlinkSync(file); fs.mkdirSync(file); }, /not a regular file/],
    'a device': [(file) => { fs.unlinkSync(file); fs.symlinkSync('/dev/null', file); }, /not a regular file/],
    'another\'s': [(file) => fs.chownSync(file, NOBODY, NOBODY), /belongs to another user/],
    'a link to another\'s': [(file) => {
      fs.renameSync(file, `${file}.x`);
      fs.chownSync(`${file}.x`, NOBODY, NOBODY);
      fs.symlinkSync(`${file}.x`, file);
    }, /belongs to another user/],
  };
  for (const [what, [spoil, message]] of Object.entries(files)) {
    test(`refused, cached or not: ${what}`, async (t) => {
      if (/another/.test(what) && !isRoot) return t.skip('only root can give files away');
      const name = await addKey(world, next());
      assert.equal((await ask(world, { account: name })).code, 0);
      spoil(accountFile(world, name));
      for (let i = 0; i < 2; i += 1) assertRefused(await ask(world, { account: name }), 7, 'config', message);
      fs.rmSync(accountFile(world, name), { recursive: true });
      return undefined;
    });
  }

  test('a link to a file of one\'s own is followed', async () => {
    const name = await addKey(world, next());
    const elsewhere = path.join(world.dir, name);
    fs.renameSync(accountFile(world, name), elsewhere);
    fs.symlinkSync(elsewhere, accountFile(world, name));
    assert.equal((await ask(world, { account: name })).answer.password, KEY);
  });

  test('a file that was changed counts at once', async () => {
    const name = await addKey(world, next(), { username: 'before' });
    assert.equal((await ask(world, { account: name })).answer.username, 'before');
    world.account(name, { ...keyAccount, username: 'afterwards' });
    assert.equal((await ask(world, { account: name })).answer.username, 'afterwards');
  });
});

describe('layers', () => {
  let system;
  const put = (file, text) => { fs.mkdirSync(path.dirname(file), { recursive: true }); fs.writeFileSync(file, text, { mode: 0o600 }); };
  const userProvider = (name) => path.join(world.env.XDG_CONFIG_HOME, 'ringbearer/providers', name);
  const systemFile = (kind, name) => path.join(world.dir, 'etc/ringbearer', kind, name);
  const show = async (name, program = world.program) => (await world.exec(program, ['show', name])).stdout;
  before(async () => { system = await relink(path.join(world.dir, 'bin/relinked'), { sysconfdir: path.join(world.dir, 'etc') }); });

  test('a provider of one\'s own, with {keys}', async () => {
    const name = next();
    const lines = [
      'title = Mine', 'tenant_domain = example.test', 'token_endpoint = https://{tenant}/{client_id}/token', 'match = https://{tenant}/',
      'client_auth = none', 'timeout = 7',
    ];
    put(userProvider('mine'), `${lines.join('\n')}\n`);
    world.account(name, 'provider = mine\ntenant = acme\nclient_id = x1\ngrant = client_credentials\ntimeout = 9\n');
    const text = await show(name);
    assert.ok(text.includes(`token_endpoint = https://acme.example.test/x1/token\n\t# ${userProvider('mine')}, line 3\n`), text);
    assert.ok(text.includes(`timeout = 9\n\t# ${accountFile(world, name)}, line 5\n`), text);
    assert.ok(text.includes('store = secret_service\n\t# built in\n'), text);
    assert.match((await world.must(['providers'])).stdout, new RegExp(`^mine +Mine\\n +${userProvider('mine')}$`, 'm'));
    world.account(name, 'provider = mine\ntenant = acme\nclient_id = a/../b\ngrant = client_credentials\n');
    assertRefused(await ask(world, { account: name }), 7, 'config', /`client_id` goes into the provider's URLs/);
  });

  const bad = {
    'a secret': ['client_secret = x', /must not hold a secret/],
    'an unknown key': ['nonsense = x', /no key `nonsense`/],
    'half a brace': ['match = https://{tenant/', /`\{` without `\}`/],
    'an open file': ['', /can be written by others/],
  };
  for (const [what, [line, message]] of Object.entries(bad)) {
    test(`a provider with ${what}`, async () => {
      const name = next();
      put(userProvider('bad'), `${line}\n`);
      fs.chmodSync(userProvider('bad'), what === 'an open file' ? 0o622 : 0o600);
      world.account(name, { provider: 'bad', grant: 'client_credentials', tenant: 'x' });
      assertRefused(await ask(world, { account: name }), 7, 'config', message);
    });
  }

  test('nobody shadows what is shipped', async () => {
    const name = next();
    put(userProvider('oauth2'), 'token_endpoint = https://evil.test/token\n');
    world.account(name, { ...keyAccount, grant: 'client_credentials' });
    assert.doesNotMatch(await show(name), /evil/);
    assert.doesNotMatch((await world.must(['providers'])).stdout, /evil|config\/ringbearer\/providers\/oauth2/);
    fs.rmSync(userProvider('oauth2'));
  });

  test('the system\'s accounts and providers lie under the user\'s', async (t) => {
    if (!system) return t.skip('the program cannot be linked anew');
    const run = (...args) => world.exec(system, args);
    const name = next();
    put(systemFile('accounts', name), `provider = site\ngrant = api_key\nmatch = ${PLACE}\n`);
    put(systemFile('providers', 'site'), 'title = Site\nusername = site\n');
    put(userProvider('site'), 'title = Mine\nusername = mine\n');
    assert.match(await show(name, system), /username = site/);
    assert.match((await run('list')).stdout, new RegExp(`^${name} +site`, 'm'));
    assert.match((await run('providers')).stdout, /^site +Site$/m);
    failed(await world.exec(system, ['add', name, ...key, '--secret-stdin'], { input: KEY }), 2, /already an account/);
    world.account(name, { ...keyAccount, username: 'the-user' });
    assert.match(await show(name, system), /username = the-user/);
    assert.equal((await run('list')).stdout.split('\n').filter((line) => line.startsWith(name)).length, 1);
    await world.exec(system, ['remove', name]);
    assert.match(await show(name, system), /username = site/);
    return undefined;
  });
});
