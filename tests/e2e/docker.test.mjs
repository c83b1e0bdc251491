// SPDX-License-Identifier: MIT
//
// docker, podman and skopeo: skopeo and docker's own client against a real registry that takes tokens, with the README's
// configuration; and the words of docker-credential-… programs.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { IMAGE, TAG, configure, makeImage, openProxy } from '../servers/registry.mjs';
import { accountFile, addGeneric, afresh, closeWorld, edit } from './lib/accounts.mjs';
import { request } from './lib/http.mjs';
import { run, start, stop } from './lib/processes.mjs';
import { block } from './lib/readme.mjs';
import { addKey, unique } from './lib/small-accounts.mjs';
import { until } from './lib/until.mjs';
import { World } from './lib/world.mjs';

const NAME = unique('docker');
const OTHER = 'https://registry.example.test';
const NOT_FOUND = 'credentials not found in native keychain\n';
let world;
let proxy;
let registry;
let has; // programs that are here

const helper = (verb, input = '', options = {}) => world.exec('docker-credential-ringbearer', [verb].flat(), { input, ...options });
const asked = () => world.control.count('client_credentials');

async function credential(server) {
  const { code, stdout, stderr } = await helper('get', server);
  assert.equal(code, 0, stdout + stderr);
  return JSON.parse(stdout);
}

const is = (program) => run(program, ['--version'], { env: process.env }).then(({ code }) => code === 0, () => false);

async function startRegistry() {
  const port = await World.freePort();
  // It ends with our end of the pipe, as the other servers do.
  const child = start('sh', ['-c', 'docker-registry serve "$0" & cat; kill $!', configure(world.dir, port)], { env: world.env, stdio: ['pipe', 'ignore', 'ignore'] });
  await until(() => request(`http://127.0.0.1:${port}/v2/`).then(({ status }) => status === 200, () => false), 'the registry is up');
  proxy = await openProxy(world, port);
  return child;
}

before(async () => {
  world = await World.create();
  has = Object.fromEntries(await Promise.all(['skopeo', 'docker', 'docker-registry'].map(async (name) => [name, await is(name)])));
  if (has['docker-registry']) registry = await startRegistry();
  await addGeneric(world, NAME, { match: [proxy?.url ?? 'https://127.0.0.1:1', `${OTHER}/v2/`] });
});
after(async () => {
  await proxy?.close();
  if (registry) await stop(registry);
  await closeWorld(world);
});
beforeEach(async () => {
  await world.control.reset();
  await afresh(world, NAME);
});

describe('against a real registry', () => {
  let certificates;
  let config;
  const image = () => `docker://${proxy.host}/${IMAGE}:${TAG}`;
  const needs = (t, program) => (has[program] && registry ? false : t.skip(`${registry ? program : 'docker-registry'} is missing`) ?? true);
  const skopeo = (...args) => world.exec('skopeo', args, { env: { REGISTRY_AUTH_FILE: config } });
  const copy = () => skopeo('--insecure-policy', 'copy', '--dest-cert-dir', certificates, `oci:${makeImage(path.join(world.dir, 'image'))}`, image());
  const inspect = () => skopeo('inspect', '--cert-dir', certificates, image());

  before(() => {
    if (!registry) return;
    certificates = path.join(world.dir, 'registry-ca');
    fs.mkdirSync(certificates);
    fs.copyFileSync(world.caFile, path.join(certificates, 'ca.crt'));
    config = path.join(world.env.HOME, '.docker/config.json');
    fs.mkdirSync(path.dirname(config), { recursive: true });
    fs.writeFileSync(config, block('docker').replace('registry.example.com', proxy.host));
  });

  test('skopeo pushes an image and looks at it', async (t) => {
    if (needs(t, 'skopeo')) return;
    const pushed = await copy();
    assert.equal(pushed.code, 0, pushed.stderr);
    const seen = await inspect();
    assert.equal(seen.code, 0, seen.stderr);
    assert.equal(JSON.parse(seen.stdout).Name, `${proxy.host}/${IMAGE}`);
    assert.ok(proxy.seen.some(({ method, status }) => method === 'PUT' && status === 201));
  });

  test('skopeo run again within seconds of a 401 has a fresh token, unless the account says no', async (t) => {
    if (needs(t, 'skopeo')) return;
    assert.equal((await copy()).code, 0);
    for (const [infer, fails] of [['no', true], ['yes', false]]) {
      edit(world, NAME, 'infer_rejection', infer);
      assert.equal((await world.request({ account: NAME })).code, 0);
      await world.control.expire('ClientCredentials');
      await inspect();
      const again = await inspect();
      assert.equal(again.code !== 0, fails, again.stderr);
      if (fails) assert.match(again.stderr, /unauthorized/i);
    }
    edit(world, NAME, 'infer_rejection', undefined);
  });

  test('skopeo logs in to a registry without an account, and out again', async (t) => {
    if (needs(t, 'skopeo')) return;
    assert.equal((await copy()).code, 0);
    const { Secret } = await credential(proxy.host); // a password that the registry takes
    const elsewhere = proxy.host.replace('127.0.0.1', 'localhost');
    const known = fs.readFileSync(config, 'utf8');
    fs.writeFileSync(config, block('docker').replace('registry.example.com', elsewhere));
    const look = () => skopeo('inspect', '--cert-dir', certificates, `docker://${elsewhere}/${IMAGE}:${TAG}`);
    assert.notEqual((await look()).code, 0);
    const login = await world.exec('skopeo', ['login', '--cert-dir', certificates, '--username', 'jane', '--password-stdin', elsewhere], { input: Secret, env: { REGISTRY_AUTH_FILE: config } });
    assert.equal(login.code, 0, login.stderr);
    const seen = await look();
    assert.equal(seen.code, 0, seen.stderr);
    assert.equal(fs.readFileSync(config, 'utf8').includes(Secret), false);
    const out = await skopeo('logout', elsewhere);
    assert.equal(out.code, 0, out.stderr);
    assert.notEqual((await look()).code, 0);
    fs.writeFileSync(config, known);
  });

  test('docker looks at the image, and `docker logout` drops the token', async (t) => {
    if (needs(t, 'docker') || needs(t, 'skopeo')) return;
    assert.equal((await copy()).code, 0);
    const seen = await world.exec('docker', ['manifest', 'inspect', '--insecure', `${proxy.host}/${IMAGE}:${TAG}`]);
    assert.equal(seen.code, 0, seen.stderr);
    assert.equal(JSON.parse(seen.stdout).schemaVersion, 2);
    const { Secret } = await credential(proxy.host);
    const out = await world.exec('docker', ['logout', proxy.host]);
    assert.equal(out.code, 0, out.stderr);
    assert.notEqual((await credential(proxy.host)).Secret, Secret);
  });
});

describe('get', () => {
  test('answers for the address as it came', async () => {
    for (const server of [`${OTHER}/v2/`, 'registry.example.test/v2', ' registry.example.test/v2/acme\r\n', 'https://REGISTRY.example.test:443/v2/']) {
      const { ServerURL, Username, Secret, ...rest } = await credential(server);
      assert.deepEqual([ServerURL, Username, rest], [server.trim(), 'oauth2accesstoken', {}]);
      assert.equal((await world.api('/rest/v2/segments', Secret)).status, 200);
    }
  });

  test('takes Docker Hub\'s address', async () => {
    const name = await addKey(world, unique('hub'), { match: 'https://index.docker.io/v1/' });
    assert.equal((await credential('https://index.docker.io/v1/\n')).Secret, 'sk_test_0123456789');
    await world.must(['remove', name]);
  });

  test('has the account\'s user name, which may make it an identity token, and any token in it', async () => {
    const token = '"\\q\'{}</s>';
    await addKey(world, unique('jane'), { match: 'https://jane.example.test/', username: 'jane' }, token);
    await addKey(world, unique('identity'), { match: 'https://identity.example.test/', username: '<token>' }, token);
    assert.deepEqual(await credential('jane.example.test'), { ServerURL: 'jane.example.test', Username: 'jane', Secret: token });
    assert.equal((await credential('identity.example.test')).Username, '<token>');
  });

  test('says in docker\'s words that there is none, and nothing to a person', async () => {
    for (const server of ['registry.example.org', 'https://index.docker.io/v2/', 'http://registry.example.test/v2/']) {
      const { code, stdout, stderr } = await helper('get', server);
      assert.deepEqual([code, stdout, stderr], [1, NOT_FOUND, '']);
    }
  });

  test('refuses what is no address', async () => {
    for (const server of ['', ' \n']) assert.deepEqual(await helper('get', server).then(({ code, stdout }) => [code, stdout]), [1, 'no credentials server URL\n']);
    for (const server of ['a b', 'a\nb', 'registry.example.test/v2\0', '://', 'a.example/x://registry.example.test', `https://${'a'.repeat(5000)}`, 'a'.repeat(200000)]) {
      const { code, stdout, stderr } = await helper('get', server);
      assert.equal(code, 1, server);
      assert.match(stdout, /^[^\n]+\n$/, server.slice(0, 20));
      assert.equal(stderr, '');
    }
  });

  test('tells on standard output why not', async () => {
    await world.control.fault({ kind: 'error', error: 'invalid_client', status: 401, count: 99 });
    const { code, stdout, stderr } = await helper('get', `${OTHER}/v2/`);
    assert.equal(code, 1);
    assert.match(stdout, /^ringbearer: [^\n]+: [^\n]*; [^\n]+\n$/);
    assert.equal(stderr, '');
  });
});

describe('the other verbs', () => {
  const store = (keys) => helper('store', JSON.stringify({ ServerURL: `${OTHER}/v2/`, Username: 'a', Secret: 'b', ...keys }));

  test('list names the places of all accounts', async () => {
    const listed = JSON.parse((await helper('list')).stdout);
    assert.equal(listed[`${OTHER}/v2/`], 'oauth2accesstoken');
    assert.equal(listed['https://jane.example.test/'], 'jane');
    fs.writeFileSync(accountFile(world, 'broken'), 'nonsense\n');
    assert.deepEqual(JSON.parse((await helper('list')).stdout), listed);
    fs.rmSync(accountFile(world, 'broken'));
  });

  test('store takes back what was handed out, and nothing else where an account answers', async () => {
    const { Username, Secret } = await credential(`${OTHER}/v2/`);
    assert.deepEqual(await store({ Username, Secret }).then(({ code, stdout, stderr }) => [code, stdout, stderr]), [0, '', '']);
    const refusals = [
      [{}, /`ringbearer secret docker-/], [{ ServerURL: '' }, /^no credentials server URL\n$/],
      [{ ServerURL: undefined }, /^no credentials server URL\n$/], [{ Username: '' }, /^no credentials username\n$/],
      [{ Username: undefined }, /^no credentials username\n$/], [{ Secret: 'a\nb' }, /control character/],
    ];
    for (const [keys, words] of refusals) {
      const { code, stdout } = await store(keys);
      assert.equal(code, 1, JSON.stringify(keys));
      assert.match(stdout, words);
    }
    for (const input of ['', 'registry', '[]', '{"ServerURL":"a","ServerURL":"b","Username":"c","Secret":"d"}']) {
      const { code, stdout } = await helper('store', input);
      assert.equal(code, 1, input);
      assert.match(stdout, /JSON object/);
    }
  });

  test('what belongs to no account is kept, once for each registry, and apart from git\'s', async () => {
    const at = (ServerURL, Username, Secret) => store({ ServerURL, Username, Secret }).then(({ code, stdout, stderr }) => assert.deepEqual([code, stdout, stderr], [0, '', '']));
    const found = (server) => helper('get', server).then(({ code, stdout }) => (code ? stdout : JSON.parse(stdout)));
    const odd = '"\\p\'{}ä</s>';
    await at('kept.example.test:5000', 'joan', odd);
    assert.deepEqual(await found('kept.example.test:5000'), { ServerURL: 'kept.example.test:5000', Username: 'joan', Secret: odd });
    await at('https://kept.example.test:5000', 'jane', 'second');
    assert.equal((await found('kept.example.test:5000')).Username, 'jane');
    const { stdout: passwords } = await world.must(['list', '--passwords', '--json']);
    assert.equal(passwords.split('docker://kept.example.test:5000').length, 2, passwords);
    await at('https://index.docker.io/v1/', 'whale', 'third');
    assert.equal((await found('https://index.docker.io/v1/\n')).Secret, 'third');
    for (const other of ['kept.example.test', 'kept.example.test:5001', 'index.docker.io/v2/']) assert.equal(await found(other), NOT_FOUND, other);

    await at('portless.example.test', 'port', 'fourth');
    const places = JSON.parse((await world.must(['list', '--passwords', '--json'])).stdout).map(({ url }) => url);
    const portless = places.find((url) => url.includes('portless'));
    assert.equal(portless, 'docker://portless.example.test/');
    await world.must(['erase', `--url=${portless}`], { input: '' });
    assert.equal(await found('portless.example.test'), NOT_FOUND);

    const listed = JSON.parse((await helper('list')).stdout);
    assert.deepEqual([listed['https://kept.example.test:5000/'], listed['https://index.docker.io/v1/']], ['jane', 'whale']);

    const git = { protocol: 'https', host: 'kept.example.test:5000' };
    assert.equal((await world.request(git)).answer.password, undefined);
    await world.request({ ...git, username: 'g', password: 'git\'s' }, { verb: 'store' });
    assert.equal((await helper('erase', 'kept.example.test:5000')).code, 0);
    assert.equal(await found('kept.example.test:5000'), NOT_FOUND);
    assert.equal((await world.request(git)).answer.password, 'git\'s');
  });

  test('what is kept for a registry is none of the places within it', async () => {
    const found = (server) => helper('get', server).then(({ code, stdout }) => (code ? stdout : JSON.parse(stdout).Secret));
    await store({ ServerURL: 'places.example.test/team', Secret: 'of the team' });
    assert.equal(await found('places.example.test'), NOT_FOUND);
    await store({ ServerURL: 'places.example.test', Secret: 'of all' });
    const both = async () => [await found('places.example.test/team'), await found('places.example.test')];
    assert.deepEqual(await both(), ['of the team', 'of all']);
    assert.equal((await helper('erase', 'places.example.test')).code, 0);
    assert.deepEqual(await both(), ['of the team', NOT_FOUND]);
  });

  test('a locked keyring is an error and not an absence', async () => {
    assert.equal((await store({ ServerURL: 'locked.example.test' })).code, 0);
    await world.keyring.lock();
    const { code, stdout } = await helper('get', 'locked.example.test');
    const other = await helper('get', 'registry.example.org');
    await world.keyring.unlock();
    assert.equal(code, 1);
    assert.match(stdout, /locked/);
    assert.equal(other.stdout, NOT_FOUND);
  });

  test('erase drops the token and leaves other places alone', async () => {
    const { Secret } = await credential(`${OTHER}/v2/`);
    for (const server of ['registry.example.org', `${OTHER}/v2/`]) {
      assert.deepEqual(await helper('erase', server).then(({ code, stdout, stderr }) => [code, stdout, stderr]), [0, '', '']);
    }
    assert.notEqual((await credential(`${OTHER}/v2/`)).Secret, Secret);
    assert.equal((await helper('erase')).stdout, 'no credentials server URL\n');
    assert.equal(await asked(), 2);
  });

  test('version says who it is, and anything else is an error', async () => {
    assert.match((await helper('version')).stdout, /^docker-credential-ringbearer \(ringbearer\) \d+\.\d+/);
    for (const words of ['', 'help', ['get', 'get'], []]) {
      const { code, stdout } = await helper(words);
      assert.equal(code, 1);
      assert.match(stdout, /credHelpers/);
    }
  });
});
