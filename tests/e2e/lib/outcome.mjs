// SPDX-License-Identifier: MIT
//
// Asking for a token and judging what came back, in the words of the interface: either a credential,
// or an exit status, an error on the wire and one line for a person that also says what to do.

import assert from 'node:assert/strict';

const EVERYTHING = { capability: ['authtype', 'error'] };
const PRINTABLE = /^[\n\x20-\x7e\u00a0-\u{10ffff}]*$/u;

// `get` for an account, with all that a caller can announce.
export const ask = (world, account, keys = {}, options = {}) => world.request({ account, ...EVERYTHING, ...keys }, options);

// Nothing that a terminal would obey, in bytes or as C1 characters.
export function assertPlain({ stdout, stderr }) {
  for (const text of [stdout, stderr]) assert.match(text, PRINTABLE);
}

export function assertToken(result, what = '') {
  assert.equal(result.code, 0, `${what} exit ${result.code}: ${result.stderr}`);
  assert.match(result.answer.credential ?? '', /^[\x21-\x7e]+$/, what);
  assert.equal(result.answer.error, undefined, what);
  return result.answer.credential;
}

// `says`: patterns that the message must match, or must not if they stand in `hides`.
export function assertRefused(result, { exit, error, says = [], hides = [], retryAfter }, what = '') {
  assert.equal(result.code, exit, `${what} exit ${result.code ?? result.signal}: ${result.stderr}`);
  const { error: told, error_description: description, retry_after: later, ...more } = result.answer;
  assert.deepEqual([told, more], [error, {}], what);
  assert.match(result.stderr, /^ringbearer: [^\n:]+: [^\n]+; [^\n]+\n$/, `${what} one line, with advice`);
  assert.ok(result.stderr.replace(/^ringbearer: [^:]+: /, '').startsWith(description), `${what} the caller is told what a person is told`);
  for (const pattern of [says].flat()) assert.match(result.stderr, pattern, what);
  for (const pattern of [hides].flat()) assert.doesNotMatch(result.stderr, pattern, what);
  assertPlain(result);
  if (retryAfter === undefined) assert.equal(later, undefined, `${what} retry_after`);
  else assert.ok(Number(later) >= retryAfter[0] && Number(later) <= retryAfter[1], `${what} retry_after=${later}`);
}

// As assertRefused, and asks once more without announcing capabilities: then stdout stays empty.
export async function refused(world, account, expected, keys = {}) {
  assertRefused(await ask(world, account, keys), expected, account);
  const silent = await world.request({ account, ...keys });
  assert.deepEqual([silent.code, silent.stdout], [expected.exit, '']);
  assert.match(silent.stderr, /^ringbearer: /);
}
