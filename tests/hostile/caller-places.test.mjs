// SPDX-License-Identifier: MIT
//
// A token goes where the caller says that it goes, and nowhere else: what stands in a configuration, or was given for another
// scheme, host or port, does not send it elsewhere. Each caller in its own words.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { closeWorld } from '../e2e/lib/accounts.mjs';
import { readMessage, writeMessage } from '../e2e/lib/message.mjs';
import { addKey, unique } from '../e2e/lib/small-accounts.mjs';
import { World } from '../e2e/lib/world.mjs';

const NAME = unique('places');
const TOKEN = 'made-up-token-of-the-good-place';
const GOOD = 'https://good.example.com/';
let world;

before(async () => {
  world = await World.create({ servers: false });
  await addKey(world, NAME, { match: GOOD }, TOKEN);
});
after(() => closeWorld(world));

const git = async (args, keys) => {
  const result = await world.exec('git-credential-ringbearer', args, { input: typeof keys === 'string' ? keys : writeMessage(keys) });
  return { ...result, answer: readMessage(result.stdout) };
};
const docker = (verb, input) => world.exec('docker-credential-ringbearer', [verb], { input: typeof input === 'string' ? input : JSON.stringify(input) });
const state = async () => JSON.parse((await world.must(['list', '--json'])).stdout).find(({ account }) => account === NAME).state;

function nothing({ stdout }, what) {
  assert.ok(!stdout.includes(TOKEN) && !/password|credential=/.test(stdout), `${what}: ${stdout}`);
}

describe('git', () => {
  const EVIL = { protocol: 'https', host: 'evil.example.com' };

  test('what it says on standard input counts, not an option', async () => {
    assert.equal((await git(['get'], { protocol: 'https', host: 'good.example.com' })).answer.password, TOKEN);
    for (const option of [[`--url=${GOOD}`], ['--url', GOOD], [`--account=${NAME}`], [`--account=${NAME}`, `--url=${GOOD}`], [`--url=${GOOD}`, '--format=token', '--show']])
      for (const keys of [EVIL, { protocol: 'http', host: 'good.example.com' }, { protocol: 'https', host: 'good.example.com:8443' }, { protocol: 'https', host: 'good.example.com.evil.example.com' }])
        nothing(await git([...option, 'get'], keys), `${option} ${JSON.stringify(keys)}`);
    assert.equal((await git([`--account=${NAME}`, 'get'], { protocol: 'https', host: 'good.example.com', path: 'a/b' })).answer.password, TOKEN);
    assert.equal((await git([`--url=https://evil.example.com`, 'get'], { protocol: 'https', host: 'good.example.com' })).answer.password, TOKEN);
  });

  test('a request without a host is answered by nobody', async () => {
    for (const keys of ['protocol=https\n\n', 'host=good.example.com\n\n', 'protocol=https\nhost=\n\n', 'path=a\n\n', '\n', '', 'username=jane\n\n', 'protocol=cert\nhost=\npath=/a\n\n'])
      for (const option of [[`--account=${NAME}`], [`--account=${NAME}`, `--url=${GOOD}`], [`--url=${GOOD}`], []])
        nothing(await git([...option, 'get'], keys), `${option} ${JSON.stringify(keys)}`);
  });

  test('two places in one request are none', async () => {
    for (const keys of [`url=${GOOD}\nprotocol=https\nhost=evil.example.com\n\n`, `protocol=https\nhost=evil.example.com\nurl=${GOOD}\n\n`, `url=${GOOD}\nprotocol=http\n\n`, `url=${GOOD}\nhost=good.example.com:8443\n\n`,
      'url=https://evil.example.com\nprotocol=https\nhost=good.example.com\n\n', `url=${GOOD}\nhost=\n\n`]) {
      for (const args of [['get'], [`--account=${NAME}`, 'get']]) nothing(await git(args, keys), keys);
      nothing(await world.run(['get'], { input: keys }), keys);
    }
  });

  test('another place has nothing to say about an account\'s token', async () => {
    for (const keys of [EVIL, { ...EVIL, password: TOKEN }, {}]) {
      await git([`--account=${NAME}`, 'erase'], keys);
      await git([`--account=${NAME}`, `--url=${GOOD}`, 'erase'], keys);
      await world.request({ ...keys, account: NAME, url: 'https://evil.example.com/' }, { verb: 'erase' });
      assert.equal(await state(), 'valid', JSON.stringify(keys));
    }
    const stored = await world.request({ account: NAME, ...EVIL, api_key: 'made-up-other-key' }, { verb: 'store' });
    assert.equal(stored.code, 1, stored.stderr);
    await git([`--account=${NAME}`, 'store'], 'protocol=https\napi_key=made-up-other-key\n\n');
    await git(['erase'], { protocol: 'https', host: 'good.example.com', password: TOKEN });
    assert.notEqual(await state(), 'valid', 'its own place has');
    assert.equal((await git(['get'], { protocol: 'https', host: 'good.example.com' })).answer.password, TOKEN);
  });
});

describe('docker', () => {
  const credential = async (server) => {
    const { code, stdout } = await docker('get', server);
    return code === 0 ? JSON.parse(stdout).Secret : stdout;
  };
  const NOT_FOUND = 'credentials not found in native keychain\n';

  test('what was given for one scheme is handed out for no other', async () => {
    const schemes = { 'reg-1.example.com': 'bare', 'http://reg-2.example.com': 'plain', 'https://reg-3.example.com/v2/': 'path', 'https://reg-4.example.com:5000': 'port' };
    for (const [ServerURL, Secret] of Object.entries(schemes)) assert.equal((await docker('store', { ServerURL, Username: 'jane', Secret })).code, 0);
    const asked = {
      'reg-1.example.com': 'bare', 'https://reg-1.example.com': 'bare', 'HTTPS://REG-1.example.com/': 'bare', 'reg-1.example.com:443': 'bare', 'https://reg-1.example.com:443/': 'bare',
      'http://reg-1.example.com': NOT_FOUND, 'HTTP://reg-1.example.com:443': NOT_FOUND, 'http://reg-1.example.com:443/': NOT_FOUND, 'ftp://reg-1.example.com': NOT_FOUND, 'docker://reg-1.example.com': NOT_FOUND,
      'reg-1.example.com:80': NOT_FOUND, 'reg-1.example.com/v2/': NOT_FOUND,
      'http://reg-2.example.com': 'plain', 'http://reg-2.example.com:80/': 'plain', 'reg-2.example.com': NOT_FOUND, 'https://reg-2.example.com': NOT_FOUND, 'https://reg-2.example.com:80': NOT_FOUND,
      'reg-3.example.com/v2/': 'path', 'https://reg-3.example.com': NOT_FOUND, 'http://reg-3.example.com/v2/': NOT_FOUND,
      'reg-4.example.com:5000': 'port', 'http://reg-4.example.com:5000': NOT_FOUND, 'https://reg-4.example.com': NOT_FOUND,
    };
    for (const [server, secret] of Object.entries(asked)) assert.equal(await credential(server), secret, server);
    assert.deepEqual(Object.keys(JSON.parse((await docker('list', '')).stdout)).filter((place) => place.includes('reg-')).sort(),
      ['http://reg-2.example.com/', 'https://reg-1.example.com/', 'https://reg-3.example.com/v2/', 'https://reg-4.example.com:5000/']);
  });

  test('nor replaced or erased for one', async () => {
    await docker('store', { ServerURL: 'https://reg-5.example.com', Username: 'jane', Secret: 'kept' });
    await docker('store', { ServerURL: 'http://reg-5.example.com', Username: 'joan', Secret: 'other' });
    assert.deepEqual([await credential('reg-5.example.com'), await credential('http://reg-5.example.com')], ['kept', 'other']);
    await docker('erase', 'http://reg-5.example.com');
    assert.deepEqual([await credential('reg-5.example.com'), await credential('http://reg-5.example.com')], ['kept', NOT_FOUND]);
  });

  test('an account answers for its own scheme alone', async () => {
    assert.equal(await credential(GOOD), TOKEN);
    assert.equal(await credential('good.example.com'), TOKEN);
    for (const server of ['http://good.example.com', 'http://good.example.com:443', 'ftp://good.example.com', 'good.example.com:8443']) assert.equal(await credential(server), NOT_FOUND, server);
  });
});

describe('others', () => {
  test('kubectl: the cluster that it names, not an option', async () => {
    const info = (server) => JSON.stringify({ kind: 'ExecCredential', apiVersion: 'client.authentication.k8s.io/v1', spec: { interactive: false, cluster: { server } } });
    const ask = (args, server) => world.run(['get', '--format=kubernetes', ...args], { env: { KUBERNETES_EXEC_INFO: info(server) } });
    for (const args of [[], [`--url=${GOOD}`], [`--account=${NAME}`], [`--account=${NAME}`, `--url=${GOOD}`]]) {
      assert.ok((await ask(args, GOOD)).stdout.includes(TOKEN), args.join(' '));
      for (const server of ['https://evil.example.com', 'http://good.example.com', 'https://good.example.com:6443']) nothing(await ask(args, server), `${args} ${server}`);
    }
  });

  test('cargo, Bazel and Terraform: https, and the host itself', async () => {
    const cargo = (url) => world.exec('cargo-credential-ringbearer', ['--cargo-plugin'], { input: `${JSON.stringify({ v: 1, registry: { 'index-url': url }, kind: 'get', operation: 'read' })}\n` });
    const bazel = (uri) => world.exec('bazel-credential-ringbearer', ['get'], { input: JSON.stringify({ uri }) });
    const terraform = (host) => world.exec('terraform-credentials-ringbearer', ['get', host]);
    for (const [asked, right, wrong] of [
      [cargo, [`sparse+${GOOD}`, GOOD], ['sparse+http://good.example.com/', 'http://good.example.com', 'sparse+https://evil.example.com@good.example.com.evil.example.com/', 'file:///good.example.com']],
      [bazel, [GOOD, `${GOOD}a`], ['http://good.example.com/', 'https://good.example.com:8443', 'https://good.example.com@evil.example.com/', 'good.example.com', 'grpc://good.example.com']],
      [terraform, ['good.example.com', 'GOOD.example.com:443'], ['good.example.com:80', 'http://good.example.com', 'good.example.com@evil.example.com', 'evil.example.com#good.example.com', 'evil.example.com']],
    ]) {
      for (const place of right) assert.ok((await asked(place)).stdout.includes(TOKEN), place);
      for (const place of wrong) nothing(await asked(place), place);
    }
  });
});
