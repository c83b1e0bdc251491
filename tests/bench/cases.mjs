// SPDX-License-Identifier: MIT
//
// What ringbearer is asked, and over which accounts. Each configuration is a folder of its own for
// XDG_CONFIG_HOME, so that one account and a thousand can be measured side by side.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { API_KEY, MACHINE } from '../servers/fixtures.mjs';
import { writeAccount, writeMessage } from '../e2e/lib/message.mjs';
import { compile } from '../e2e/lib/builds.mjs';
import { TOKEN_PATH } from '../e2e/lib/flows.mjs';

const MANY = 1000;
const ON_ONE_HOST = 10; // so many of the thousand share an origin
const CROWD = 100; // and so many in the configuration `crowd`
const LONG_AGO = new Date('2024-01-01T00:00:00Z');
const IN_FUTURE = new Date('2037-01-01T00:00:00Z');

// The kernel's keyring is the user's, not this world's: names of our own, so that no other run's
// `erase` drops what is measured here.
export const MACHINE_ACCOUNT = `bench-machine-${process.pid}`;
const KEY_ACCOUNT = `bench-key-${process.pid}`;
const COLD_MACHINE_ACCOUNT = `bench-cold-machine-${process.pid}`;
const COLD_KEY_ACCOUNT = `bench-cold-key-${process.pid}`;
const MEMORY_ACCOUNT = `bench-memory-${process.pid}`;
const ACCOUNTS = [MACHINE_ACCOUNT, KEY_ACCOUNT, COLD_MACHINE_ACCOUNT, COLD_KEY_ACCOUNT, MEMORY_ACCOUNT];

const accounts = (env) => path.join(env.XDG_CONFIG_HOME, 'ringbearer', 'accounts');

function configuration(world, name) {
  const env = { XDG_CONFIG_HOME: path.join(world.dir, 'configurations', name) };
  fs.mkdirSync(accounts(env), { recursive: true, mode: 0o700 });
  return env;
}

// The index of accounts by URL is not kept while their folder may still change without a new stamp:
// these have rested, or never will.
const settle = (env, since = LONG_AGO) => fs.utimesSync(accounts(env), since, since);

async function addMachine(world, name, env) {
  const { client_id, client_secret } = MACHINE;
  const keys = { provider: 'blueconic', tenant: world.host('a'), grant: 'client_credentials', client_id, ca_file: world.caFile };
  await world.add(name, keys, client_secret, { env });
  settle(env);
}

async function addKey(world, name, env) {
  await world.add(name, { provider: 'bluesonde', grant: 'api_key', match: `${world.urls.b}/v1/` }, API_KEY, { env });
  settle(env);
}

// The account of the configuration `one`, and 999 others: so many to an origin, its own included.
function fill(world, one, many, onOneHost, since) {
  const copy = path.join(accounts(many), MACHINE_ACCOUNT);
  fs.copyFileSync(path.join(accounts(one), MACHINE_ACCOUNT), copy);
  fs.chmodSync(copy, 0o600);
  for (let i = 1; i < MANY; i += 1) {
    const host = i < onOneHost ? world.urls.a : `https://tenant-${Math.floor(i / onOneHost)}.example`;
    fs.writeFileSync(path.join(accounts(many), `other-${i}`), writeAccount({
      provider: 'oauth2', grant: 'client_credentials', client_id: `client-${i}`,
      token_endpoint: `${host}/token`, match: `${host}/section-${i}/`,
    }), { mode: 0o600 });
  }
  settle(many, since);
}

// A secret is only worth measuring if the service takes it.
async function secretFor(world, keys, env, where) {
  const { code, answer, stderr } = await world.request(keys, { env });
  assert.equal(code, 0, stderr);
  const { status } = await world.api(where, answer.password);
  assert.equal(status, 200, `${where} refuses what ringbearer gave`);
  return answer.password;
}

// An account whose token is in the second tier: it was renewed where the kernel keeps no keys.
async function keepInMemory(world, env) {
  await addMachine(world, MEMORY_ACCOUNT, env);
  const launcher = path.join(world.dir, 'bin/launcher');
  await compile('-O', '-D_GNU_SOURCE', '-o', launcher, fileURLToPath(new URL('../e2e/lib/launcher.c', import.meta.url)));
  const { code, stdout, stderr } = await world.exec(launcher, ['deny', '1', world.program, 'token', MEMORY_ACCOUNT], { env });
  assert.equal(code, 0, stderr);
  return stdout.trim();
}

// { one, many, …: { env, secret } }, and the `request` that asks by URL.
export async function prepare(world) {
  const names = ['one', 'many', 'crowd', 'restless', 'key', 'cold', 'coldKey', 'memory'];
  const all = Object.fromEntries(names.map((name) => [name, { env: configuration(world, name) }]));
  await addMachine(world, MACHINE_ACCOUNT, all.one.env);
  fill(world, all.one.env, all.many.env, ON_ONE_HOST);
  fill(world, all.one.env, all.crowd.env, CROWD);
  fill(world, all.one.env, all.restless.env, ON_ONE_HOST, IN_FUTURE);
  await addKey(world, KEY_ACCOUNT, all.key.env);
  await addMachine(world, COLD_MACHINE_ACCOUNT, all.cold.env);
  await addKey(world, COLD_KEY_ACCOUNT, all.coldKey.env);

  all.memory.secret = await keepInMemory(world, all.memory.env);

  const url = new URL('/rest/v2/segments', world.urls.a);
  const request = { protocol: 'https', host: url.host, path: url.pathname.slice(1) };
  all.one.secret = await secretFor(world, { account: MACHINE_ACCOUNT }, all.one.env, url.pathname);
  all.key.secret = await secretFor(world, { account: KEY_ACCOUNT }, all.key.env, '/v1/devices');
  for (const each of [all.many, all.crowd, all.restless]) {
    each.secret = await secretFor(world, request, each.env, url.pathname);
  }
  return { ...all, request };
}

// No token of this world stays in the kernel.
export async function forget(world) {
  for (const account of ACCOUNTS) await world.request({ account }, { verb: 'erase' });
}

export const EMPTY = 'empty program';
export const EMPTY_FRONT = 'empty program, linked as ringbearer is';
export const BY_ACCOUNT = 'ringbearer get, account on stdin';
export const BY_URL_MANY = 'ringbearer get, URL, 1,000 accounts';
export const FROM_MEMORY = 'ringbearer get, from the second tier';
export const CURL = 'curl, the same request';
export const COLD = 'ringbearer get, token not cached';

const answers = ({ env, secret }) => ({ env, expect: `password=${secret}` });

export function hits(world, { one, many, key, memory, request }) {
  const { program } = world;
  const byUrl = { argv: [program, 'get'], input: writeMessage(request) };
  return [
    { name: BY_ACCOUNT, argv: [program, 'get'], input: writeMessage({ account: MACHINE_ACCOUNT }), ...answers(one) },
    { name: FROM_MEMORY, argv: [program, 'get'], input: writeMessage({ account: MEMORY_ACCOUNT }), ...answers(memory) },
    { name: 'ringbearer get --account', argv: [program, 'get', `--account=${MACHINE_ACCOUNT}`], ...answers(one) },
    { name: 'ringbearer token', argv: [program, 'token', MACHINE_ACCOUNT], env: one.env, expect: one.secret },
    { name: 'ringbearer get, API key', argv: [program, 'get', `--account=${KEY_ACCOUNT}`], ...answers(key) },
    { name: 'ringbearer get, URL, 1 account', ...byUrl, ...answers(one) },
    { name: BY_URL_MANY, ...byUrl, ...answers(many) },
  ];
}

export const curlOptions = ({ caFile }) => [
  '--silent', '--show-error', '--fail', '--header', 'Accept: application/json', '--cacert', caFile,
];

// All are preceded by an `erase`, for those who need none as well: it costs them caches alike.
export function misses(world, { cold, coldKey, key, crowd, restless, request }, curl) {
  const { program } = world;
  const erase = (account) => ({ argv: [program, 'erase'], input: writeMessage({ account }) });
  const form = new URLSearchParams({ grant_type: 'client_credentials', ...MACHINE });
  const byUrl = { argv: [program, 'get'], input: writeMessage(request), before: erase(COLD_KEY_ACCOUNT) };
  const byAccount = (account) => [program, 'get', `--account=${account}`];
  return [
    {
      name: CURL, argv: [curl, ...curlOptions(world), '--data', '@-', world.urls.a + TOKEN_PATH.a], input: form.toString(),
      expect: '"access_token":', env: cold.env, before: erase(COLD_MACHINE_ACCOUNT),
    },
    { name: COLD, argv: byAccount(COLD_MACHINE_ACCOUNT), expect: 'password=', env: cold.env, before: erase(COLD_MACHINE_ACCOUNT) },
    {
      name: 'ringbearer get, API key not cached', argv: byAccount(COLD_KEY_ACCOUNT),
      expect: `password=${key.secret}`, env: coldKey.env, before: erase(COLD_KEY_ACCOUNT),
    },
    { name: 'ringbearer get, API key cached', argv: byAccount(KEY_ACCOUNT), ...answers(key), before: erase(COLD_KEY_ACCOUNT) },
    { name: 'ringbearer get, URL, 1,000 accounts, 100 a host', ...byUrl, ...answers(crowd) },
    { name: 'ringbearer get, URL, 1,000 accounts, index void', ...byUrl, ...answers(restless) },
  ];
}
