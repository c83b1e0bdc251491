// SPDX-License-Identifier: MIT
//
// kubectl: the real one, with the README's kubeconfig, against an API server that looks at tokens; and what
// ringbearer answers to what client-go says in the environment.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { openCluster } from '../servers/kubernetes.mjs';
import { addGeneric, afresh, closeWorld, edit } from './lib/accounts.mjs';
import { isInstrumented } from './lib/builds.mjs';
import { run } from './lib/processes.mjs';
import { block } from './lib/readme.mjs';
import { addKey, unique } from './lib/small-accounts.mjs';
import { until } from './lib/until.mjs';
import { World } from './lib/world.mjs';

const NAME = unique('kubernetes');
const V1 = 'client.authentication.k8s.io/v1';
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const KNOWS_V1 = 22; // kubectl 1.22
let world;
let cluster;
let kubectl; // its minor version

const info = (spec = { interactive: false }, more = {}) => ({ KUBERNETES_EXEC_INFO: JSON.stringify({ kind: 'ExecCredential', apiVersion: V1, spec, ...more }) });
const ask = (env = {}, args = [`--account=${NAME}`], options = {}) => world.run(['get', '--format=kubernetes', ...args], { ...options, env });
const asked = () => world.control.count('client_credentials');

async function credential(env, args) {
  const { code, stdout, stderr } = await ask(env, args);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

function kubeconfig(more = {}) {
  const file = path.join(world.dir, 'kubeconfig');
  let users = block('kubectl').replaceAll('acme', NAME);
  if (kubectl < KNOWS_V1) users = users.replace('/v1\n', '/v1beta1\n');
  for (const [from, to] of Object.entries(more)) users = users.replace(from, to);
  const clusters = [{ name: 'c', cluster: { server: cluster.url, 'certificate-authority': world.caFile } }];
  const contexts = [{ name: 'x', context: { cluster: 'c', user: NAME } }];
  fs.writeFileSync(file, `${users}apiVersion: v1\nkind: Config\ncurrent-context: x\n`
    + `clusters: ${JSON.stringify(clusters)}\ncontexts: ${JSON.stringify(contexts)}\n`, { mode: 0o600 });
  return file;
}

const namespaces = async (config = kubeconfig()) => world.exec('kubectl', ['--kubeconfig', config, 'get', 'namespaces', '-o', 'name']);

before(async () => {
  world = await World.create();
  cluster = await openCluster(world);
  await addGeneric(world, NAME, { match: cluster.url });
  kubectl = await run('kubectl', ['version', '--client', '-o', 'json'], { env: process.env })
    .then(({ stdout }) => Number.parseInt(JSON.parse(stdout).clientVersion.minor, 10), () => undefined);
});
after(async () => {
  await cluster.close();
  await closeWorld(world);
});
beforeEach(async () => {
  await world.control.reset();
  await afresh(world, NAME);
  cluster.seen.length = 0;
});

describe('kubectl', () => {
  const skip = (t) => t.skip('kubectl is missing');

  test('reaches the cluster with the README\'s kubeconfig', async (t) => {
    if (!kubectl) return skip(t);
    const { code, stdout, stderr } = await namespaces();
    assert.deepEqual([code, stdout], [0, 'namespace/default\nnamespace/acme\n'], stderr);
    assert.ok(cluster.seen.length > 0 && cluster.seen.every(({ status }) => status === 200));
    return undefined;
  });

  test('takes v1beta1, and tells the cluster', async (t) => {
    if (!kubectl) return skip(t);
    const config = kubeconfig({ '/v1\n': '/v1beta1\n', [`--account=${NAME}, `]: '', 'interactiveMode: Never': 'provideClusterInfo: true' });
    const { code, stdout, stderr } = await namespaces(config);
    assert.deepEqual([code, stdout], [0, 'namespace/default\nnamespace/acme\n'], stderr);
    return undefined;
  });

  test('is told why not', async (t) => {
    if (!kubectl) return skip(t);
    await world.control.fault({ kind: 'error', error: 'invalid_client', status: 401, count: 99 });
    const { code, stderr } = await namespaces();
    assert.equal(code, 1);
    assert.match(stderr, /ringbearer: kubernetes-\d+: .*secret/);
    return undefined;
  });

  test('run again within seconds of a 401 has a fresh token, unless the account says no', async (t) => {
    if (!kubectl) return skip(t);
    for (const [infer, code] of [['no', 1], ['yes', 0]]) {
      edit(world, NAME, 'infer_rejection', infer);
      assert.equal((await world.request({ account: NAME })).code, 0);
      await world.control.expire('ClientCredentials');
      await namespaces();
      const again = await namespaces();
      assert.equal(again.code, code, again.stderr);
      if (code) assert.match(again.stderr, /Unauthorized/);
    }
    edit(world, NAME, 'infer_rejection', undefined);
    return undefined;
  });
});

describe('an ExecCredential', () => {
  test('has the version that was asked for, the token and its end', async () => {
    for (const version of [V1, `${V1}beta1`]) {
      const { apiVersion, kind, status, ...rest } = await credential(info({ interactive: true }, { apiVersion: version }));
      assert.deepEqual([apiVersion, kind, rest], [version, 'ExecCredential', {}]);
      assert.equal((await world.api('/rest/v2/segments', status.token)).status, 200);
      assert.match(status.expirationTimestamp, TIME);
      const { answer } = await world.request({ account: NAME, capability: ['authtype'] });
      assert.equal(Date.parse(status.expirationTimestamp) / 1000, Number(answer.password_expiry_utc));
    }
  });

  test('is v1 where nobody says', async () => {
    assert.equal((await credential()).apiVersion, V1);
    assert.equal((await credential({ KUBERNETES_EXEC_INFO: '' })).apiVersion, V1);
  });

  test('has no end where none is known, and any token in it', async () => {
    const name = await addKey(world, unique('key'), {}, 'a"b\\c\'{}</d>');
    assert.deepEqual(await credential({}, [`--account=${name}`]), { apiVersion: V1, kind: 'ExecCredential', status: { token: 'a"b\\c\'{}</d>' } });
  });

  test('is not given for another kind, version or text', async () => {
    const wrong = {
      'v1alpha1': info({}, { apiVersion: `${V1}alpha1` }), 'kind': info({}, { kind: 'TokenReview' }), 'no JSON': { KUBERNETES_EXEC_INFO: 'v1' },
      'a list': { KUBERNETES_EXEC_INFO: '[]' }, 'nothing': { KUBERNETES_EXEC_INFO: '{}' },
      'twice': { KUBERNETES_EXEC_INFO: `{"kind":"ExecCredential","apiVersion":"${V1}","apiVersion":"${V1}"}` },
      'twice inside': { KUBERNETES_EXEC_INFO: `{"kind":"ExecCredential","apiVersion":"${V1}","spec":{"cluster":{"server":"a","server":"b"}}}` },
      'a newline': info({ cluster: { server: 'https://a.example\nb' } }), 'a NUL': info({ cluster: { server: 'https://a.example\0b' } }),
      'depth': { KUBERNETES_EXEC_INFO: `{"kind":"ExecCredential","apiVersion":"${V1}","spec":${'['.repeat(20)}${']'.repeat(20)}}` },
      'too many': info({ all: Array.from({ length: 2000 }, (_, i) => `v${i}`) }),
    };
    for (const [what, env] of Object.entries(wrong)) {
      const { code, stdout, stderr } = await ask(env);
      assert.deepEqual([code, stdout], [2, ''], what);
      assert.match(stderr, /^ringbearer: KUBERNETES_EXEC_INFO[^\n]*; [^\n]+\n$/, what);
    }
  });

  test('is found by the cluster, and not given to another one', async () => {
    const at = (server) => info({ interactive: false, cluster: { server, 'certificate-authority-data': 'QQ==', config: { 'a.example/b': 'c' } } });
    assert.ok((await credential(at(cluster.url), [])).status.token);
    assert.ok((await credential(at(cluster.url))).status.token);
    assert.equal((await ask(at('https://other.example:6443'), [])).code, 1);
    assert.equal((await ask(at('https://other.example:6443'))).code, 1);
    const none = await ask(info(), []);
    assert.equal(none.code, 2);
    assert.match(none.stderr, /--account=NAME/);
  });

  test('opens no module for a cached token unless a cluster is told', async () => {
    await credential();
    const opened = async (env) => (await ask({ RINGBEARER_TRACE: '1', ...env })).stderr.match(/opening \S+/g);
    assert.equal(await opened(), null);
    assert.equal(await opened(info()), null);
    assert.match(String(await opened(info({ cluster: { server: cluster.url } }))), /input-json\.so$/);
  });
});

describe('the same token asked for again', () => {
  const token = async (args, format = 'kubernetes') => {
    const { code, stdout, stderr } = await world.run(['get', `--account=${NAME}`, `--format=${format}`, ...args ?? []]);
    assert.equal(code, 0, stderr);
    return format === 'kubernetes' ? JSON.parse(stdout).status.token : stdout;
  };

  test('is renewed once, and then not for minutes', async () => {
    const first = await token();
    const second = await token();
    assert.notEqual(second, first);
    for (let i = 0; i < 3; i += 1) assert.equal(await token(), second);
    assert.equal(await asked(), 2);
  });

  test('is the same for callers of other kinds', async () => {
    const first = await token();
    for (let i = 0; i < 2; i += 1) assert.equal(await token([], 'token'), `${first}\n`);
    assert.equal(await asked(), 1);
  });

  test('stays where the account says so', async () => {
    edit(world, NAME, 'infer_rejection', 'no');
    const first = await token();
    assert.equal(await token(), first);
    edit(world, NAME, 'infer_rejection', undefined);
    assert.equal(await asked(), 1);
  });

  test('is given as before where no renewal works', async () => {
    const first = await token();
    await world.control.fault({ kind: 'error', error: 'invalid_client', status: 401, count: 99 });
    for (let i = 0; i < 3; i += 1) assert.equal(await token(), first);
    assert.equal(await asked(), 2);
  });

  test('is given as before where the server is silent for too long, and the late one is not lost', async () => {
    const first = await token();
    await world.control.fault({ kind: 'delay', seconds: 5 });
    assert.equal(await token(), first);
    assert.equal(await asked(), 2);
    await until(async () => await token() !== first, 'the late answer is here', { step: 100 });
    assert.equal(await asked(), 2);
  });

  test('is given as before where the login has ended', async () => {
    const name = unique('ended');
    await world.addAuthorizationCode(name);
    assert.equal((await world.login(name)).code, 0);
    const ask1 = async () => JSON.parse((await ask({}, [`--account=${name}`])).stdout).status.token;
    const first = await ask1();
    await world.control.expire('RefreshToken');
    for (let i = 0; i < 3; i += 1) assert.equal(await ask1(), first);
    assert.equal(await world.control.count('refresh_token'), 1);
  });

  // kubectl would throw it away for any other exit status.
  test('is an answer although the next refresh token could not be kept', async () => {
    const name = unique('unkept');
    await world.addAuthorizationCode(name);
    assert.equal((await world.login(name)).code, 0);
    await afresh(world, name);
    await world.control.fault({ kind: 'delay', seconds: 1.5 });
    const asking = ask({}, [`--account=${name}`]);
    await until(async () => await world.control.count('refresh_token') === 1, 'the request is there');
    await world.keyring.lock();
    const { code, stdout, stderr } = await asking;
    await world.keyring.unlock();
    assert.match(stderr, /not in the keyring yet/);
    assert.equal((await world.api('/rest/v2/segments', JSON.parse(stdout).status.token)).status, 200);
    assert.equal(code, 0);
  });

  test('is the one that a renewal brings which is under way already', async () => {
    const first = await token();
    await world.control.fault({ kind: 'delay', seconds: 1.5 });
    const refreshing = world.must(['refresh', NAME]);
    await until(async () => (await world.control.log()).filter(({ endpoint }) => endpoint === 'token').length === 2, 'the request is there');
    assert.notEqual(await token(), first);
    await refreshing;
    assert.equal(await asked(), 2);
  });

  test('is never renewed if it is a key', async () => {
    const name = await addKey(world, unique('lasting'));
    const traced = async () => (await ask({ RINGBEARER_TRACE: '1' }, [`--account=${name}`])).stderr;
    await traced();
    assert.doesNotMatch(await traced(), /renew/);
  });

  test('by 200 at one time makes one renewal', async (t) => {
    if (isInstrumented()) return t.skip('an instrumented build is not there at one time');
    const first = await token();
    const all = await Promise.all(Array.from({ length: 200 }, () => token()));
    assert.equal(await asked(), 2);
    assert.ok(new Set([first, ...all]).size <= 2);
    assert.notEqual(await token(), first);
    return undefined;
  });
});
