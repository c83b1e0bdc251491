// SPDX-License-Identifier: MIT
//
// Accounts that need no server, and requests with their reasons. The names of accounts are unique
// to a test process: all worlds of one user share the kernel keyring, and forgetting goes by name.

import assert from 'node:assert/strict';

export const PLACE = 'https://api.example.test/v1/';
export const KEY = 'sk_test_0123456789';
// Every byte that a token may have, and what shells and parsers would like to make something of.
export const HOSTILE = `${Array.from({ length: 0x7e - 0x21 + 1 }, (_, i) => String.fromCharCode(0x21 + i)).join('')}\$HOME\${HOME}\$(id)\`id\`\\\\\\"\\$'"'\\n%s\\`;
export const keyAccount = { provider: 'oauth2', grant: 'api_key', match: PLACE };

export const unique = (name) => `${name}-${process.pid}`;

export async function addKey(world, name, extra = {}, key = KEY) {
  await world.add(name, { ...keyAccount, ...extra }, key);
  return name;
}

// A request that also wants to know why not.
export const ask = (world, keys, options) => world.request({ capability: ['error'], ...keys }, options);

// The same past the cache, as after a server's 401.
export async function askAfresh(world, account, keys = {}, options = {}) {
  await world.request({ account }, { verb: 'erase' });
  return ask(world, { account, ...keys }, options);
}

export function assertRefused(result, code, error, message) {
  assert.deepEqual([result.code, result.answer.error], [code, error], result.stderr);
  assert.equal(result.answer.password ?? result.answer.credential, undefined, 'a refusal hands out nothing');
  assert.match(result.stderr, /^ringbearer: [^\n]+\n$/, 'one line says why');
  if (message) assert.match(result.stderr, message);
}
