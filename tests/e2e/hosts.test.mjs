// SPDX-License-Identifier: MIT
//
// Hosts as git, docker and people write them: in Unicode and in punycode, absolute, with a zone, with an organization in the
// user's place, below a path; and hosts that no network knows, which git wants to have kept all the same.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { closeWorld } from './lib/accounts.mjs';
import { helper } from './lib/git.mjs';
import { addKey, unique } from './lib/small-accounts.mjs';
import { World } from './lib/world.mjs';

let world;
const hasIdn = () => fs.existsSync(path.join(world.env.RINGBEARER_MODULE_DIR, 'input-idn.so'));
const place = (url) => { const [, protocol, host, rest] = /^([a-z]+):\/\/([^/]*)\/?(.*)$/.exec(url); return { protocol, host, ...(rest && { path: rest }) }; };

before(async () => { world = await World.create({ servers: false }); });
after(() => closeWorld(world));

async function tokenFor(keys, how = helper) {
  const { answer } = how === helper ? await helper(world, 'get', keys) : await world.request(keys);
  return answer.password;
}

describe('an account answers', () => {
  const accounts = {
    plain: ['https://git.example.com/'], puny: ['https://xn--bcher-kva.example/'], unicode: ['https://m\u00fcller.example/'],
    six: ['https://[2001:db8::1]:3000/'], zone: ['https://[fe80::1%25eth0]:3000/'], deep: ['https://forge.example.com/gitea/'],
    ado: ['https://dev.azure.com/acme/', 'jane@example.com'], 'ado-other': ['https://dev.azure.com/umbrella/', 'jane@example.com'],
  };
  before(async () => {
    for (const [name, [match, username]] of Object.entries(accounts)) await addKey(world, unique(name), { match, ...(username && { username }) }, `made-up-${name}`);
  });

  for (const [name, asked] of Object.entries({
    plain: ['https://git.example.com.', 'https://GIT.Example.com.:443', 'https://git.example.com./a/b'],
    six: ['https://[2001:DB8::1]:3000'], zone: ['https://[fe80::1%25eth0]:3000', 'https://[FE80::1%eth0]:3000/x'],
    deep: ['https://forge.example.com/gitea/a/b', 'https://forge.example.com./gitea'],
  })) test(`as ${name}`, async () => {
    for (const url of asked) assert.equal(await tokenFor(place(url)), `made-up-${name}`, url);
  });

  test('a host in Unicode and its punycode are one', async (t) => {
    if (!hasIdn()) return t.skip('libidn2 is missing');
    for (const [name, hosts] of Object.entries({ puny: ['b\u00fccher.example', 'B\u00dcCHER.example', 'bu\u0308cher.example', 'b\u00fccher\u3002example', 'xn--bcher-kva.example', 'XN--BCHER-KVA.example.'], unicode: ['m\u00fcller.example', 'xn--mller-kva.example', 'M\u00dcLLER.example.'] }))
      for (const host of hosts) {
        for (let i = 0; i < 2; i += 1) assert.equal(await tokenFor({ protocol: 'https', host }), `made-up-${name}`, host);
        assert.equal((await helper(world, 'get', { protocol: 'https', host }, { options: [`--account=${unique(name)}`] })).answer.password, `made-up-${name}`, host);
        assert.equal(JSON.parse((await world.exec('docker-credential-ringbearer', ['get'], { input: host })).stdout).Secret, `made-up-${name}`);
      }
    for (const host of ['b\u00fcchers.example', 'xn--bcher-kvb.example', 'bucher.example', 'm\u00fcller\u2024example', 'b\u200b\u00fccher.example.evil.example']) assert.equal(await tokenFor({ protocol: 'https', host }), undefined, host);
  });

  test('hosts that only look alike are others', async () => {
    for (const host of ['git.example.com..', '.git.example.com', 'git.example.com%2e', 'git%2eexample.com', 'git.example.com.evil.example', 'git\u3002example.com.evil.example'])
      assert.equal(await tokenFor({ protocol: 'https', host }), undefined, host);
  });

  test('Azure DevOps: the organization in the user\'s place is no user', async () => {
    for (const keys of [{ username: 'acme', path: 'acme/project/_git/repo' }, { username: 'acme' }, { username: 'jane@example.com', path: 'acme/x' }, { path: 'acme/x' }])
      assert.equal(await tokenFor({ protocol: 'https', host: 'dev.azure.com', ...keys }), 'made-up-ado', JSON.stringify(keys));
    assert.equal(await tokenFor({ protocol: 'https', host: 'dev.azure.com', username: 'umbrella' }), 'made-up-ado-other');
    assert.equal(await tokenFor({ url: 'https://acme@dev.azure.com/acme/project/_git/repo' }, world), 'made-up-ado');
    for (const keys of [{ username: 'joan@example.com', path: 'acme/x' }, { username: 'other' }, { username: 'acme', path: 'other/x' }])
      assert.equal(await tokenFor({ protocol: 'https', host: 'dev.azure.com', ...keys }), undefined, JSON.stringify(keys));
  });
});

test('a tenant may lie below a path, and GitHub has gists', async () => {
  const name = unique('below');
  await world.add(name, { provider: 'forgejo', tenant: 'git.example.com/forge', client_id: 'made-up', grant: 'authorization_code' });
  const { stdout } = await world.must(['show', name]);
  assert.match(stdout, /^token_endpoint = https:\/\/git\.example\.com\/forge\/login\/oauth\/access_token$/m);
  assert.match(stdout, /^match = https:\/\/git\.example\.com\/forge\/$/m);
  world.account(unique('gh'), { provider: 'github', client_id: 'made-up', grant: 'device_code' });
  assert.match((await world.must(['show', unique('gh')])).stdout, /^match = https:\/\/gist\.github\.com\/$/m);
  // Where the provider completes a name to a host, a path would make a host of it.
  world.account(unique('odd'), { provider: 'blueconic', tenant: 'evil.example/acme', client_id: 'made-up', grant: 'client_credentials' });
  assert.equal((await world.run(['show', unique('odd')])).code, 7);
  fs.rmSync(path.join(world.env.XDG_CONFIG_HOME, 'ringbearer/accounts', unique('odd')));
});

test('git\'s passwords are kept, whatever the host looks like', async () => {
  const places = [{ host: 'b\u00fccher.example:8080' }, { host: 'gitea_server:3000', protocol: 'http' }, { protocol: 'cert', host: '', path: '/home/jane/cert.pem', username: '' }, { host: 'absolute.example.' },
    { host: '[fe80::3%25eth0]:3000' }, { host: '[fe80::2%eth0]' }, { host: 'a+b,c;d=e!f$g&h\'i(j)k*l.example' }, { host: 'per%cent.example' }, { host: 'right\u202eleft.example' },
    { host: 'pa\u00dfwort.example', path: 'gr\u00fc\u00dfe/\u{1f469}\u200d\u{1f4bb}.git' }, { host: 'user.example', username: 'j\u00f6rg \u{1f469}\u200d\u{1f4bb}' }, { protocol: 'smtp', host: 'smtp.example.com:587', username: 'jane@example.com' }];
  for (const [i, one] of places.entries()) {
    const keys = { protocol: 'https', ...one };
    const kept = await helper(world, 'store', { username: 'jane', ...keys, password: `made-up-${i}` });
    assert.deepEqual([kept.code, kept.stderr], [0, ''], JSON.stringify(one));
  }
  for (const [i, one] of places.entries()) assert.equal(await tokenFor({ protocol: 'https', ...one }), `made-up-${i}`, JSON.stringify(one));
  for (const [one, i] of [[{ host: 'absolute.example' }, 3], [{ host: '[FE80::3%eth0]:3000' }, 4], ...(hasIdn() ? [[{ host: 'xn--bcher-kva.example:8080' }, 0]] : [])])
    assert.equal(await tokenFor({ protocol: 'https', ...one }), `made-up-${i}`, JSON.stringify(one));
  for (const one of places) await helper(world, 'erase', { protocol: 'https', ...one });
  for (const one of places) assert.equal(await tokenFor({ protocol: 'https', ...one }), undefined, JSON.stringify(one));
});
