// SPDX-License-Identifier: MIT
//
// For every kind of fault: how to ask for it, and what a client then sees of a token request.
// `reply` is { status, headers, body, json }, or { failed } with the connection's error; `ms` tells
// how long it took.

import assert from 'node:assert/strict';
import { API_KEY, MACHINE } from '../../servers/fixtures.mjs';
import { machine } from './flows.mjs';

const status = (expected, error) => ({ status: got, json }) => assert.deepEqual([got, json.error], [expected, error]);
const cut = ({ failed }) => assert.match(failed?.code ?? 'answered', /^(ECONNRESET|EPIPE)$/);
const member = (check) => ({ json }) => check(json);
const late = ({ json, ms }) => assert.ok(json.access_token && ms > 250 && ms < 5000, `${ms} ms`);
const ESCAPE = '\u001b[31mred\u001b]0;title\u0007';

const faultChecks = {
  error: {
    fault: { status: 418, error: 'teapot', error_description: ESCAPE, error_uri: 'https://example.org/' },
    check: ({ status: got, json }) => assert.deepEqual([got, json], [418, { error: 'teapot', error_description: ESCAPE, error_uri: 'https://example.org/' }]),
  },
  429: {
    fault: { retry_after: 'Wed, 21 Oct 2037 07:28:00 GMT' },
    check: ({ status: got, headers }) => assert.deepEqual([got, headers['retry-after']], [429, 'Wed, 21 Oct 2037 07:28:00 GMT']),
  },
  500: { check: status(500, 'server_error') },
  502: { check: status(502, 'server_error') },
  503: { fault: { retry_after: 2 }, check: ({ status: got, headers }) => assert.deepEqual([got, headers['retry-after']], [503, '2']) },
  empty_503: { check: ({ status: got, body }) => assert.deepEqual([got, body], [503, '']) },
  forbidden_html: {
    check: ({ status: got, headers, body }) => {
      assert.equal(got, 403);
      assert.match(headers['content-type'], /^text\/html/);
      assert.match(body, /<h1>Request blocked<\/h1>/);
    },
  },
  echo_secret: {
    check: ({ status: got, json }) => assert.deepEqual([got, json.error_description], [401, `not accepted: client_secret ${MACHINE.client_secret}`]),
  },
  redirect: { check: ({ status: got, headers }) => assert.ok(got === 307 && headers.location.endsWith('/sink')) },
  reset_before: { check: cut },
  close_before: { check: cut },
  hang: { options: { timeout: 300 }, check: ({ failed }) => assert.match(failed.message, /no answer within 300 ms/) },
  raw_http: {
    fault: { body: 'HTTP/1.1 200 OK\r\nContent-Length: nonsense\r\n\r\n' },
    check: ({ failed }) => assert.match(failed?.code ?? 'answered', /^HPE_/),
  },
  reset_after: { check: cut },
  close_after: { check: cut },
  delay: { fault: { seconds: 0.3 }, check: late },
  slow: { fault: { seconds: 0.3 }, check: late },
  truncated_json: { check: ({ status: got, body, json }) => assert.ok(got === 200 && body.startsWith('{"access_token') && !json) },
  short_body: { check: ({ failed }) => assert.equal(failed?.code, 'ECONNRESET') },
  empty_body: { check: ({ status: got, body }) => assert.deepEqual([got, body], [200, '']) },
  html200: { check: ({ status: got, headers }) => assert.ok(got === 200 && headers['content-type'].startsWith('text/html')) },
  wrong_type: { check: ({ headers, json }) => assert.ok(headers['content-type'].startsWith('text/plain') && json.access_token) },
  chunked: { check: ({ headers, json }) => assert.ok(headers['transfer-encoding'] === 'chunked' && json.access_token) },
  bom: { check: ({ body }) => assert.equal(body.charCodeAt(0), 0xfeff) },
  long: { fault: { members: { access_token: 70000 } }, check: member((json) => assert.equal(json.access_token, 'A'.repeat(70000))) },
  huge: { check: ({ body }) => assert.ok(body.length > 10 * 1024 * 1024) },
  deep: { check: ({ body }) => assert.ok(body.includes('['.repeat(100000))) },
  dup_keys: { check: ({ body }) => assert.equal(body.split('"access_token"').length, 3) },
  expires_string: { check: member((json) => assert.equal(json.expires_in, '3600')) },
  no_expires: { check: member((json) => assert.ok(json.access_token && !('expires_in' in json))) },
  bearer_lower: { check: member((json) => assert.equal(json.token_type, 'bearer')) },
  mac: { check: member((json) => assert.equal(json.token_type, 'mac')) },
  no_token_type: { check: member((json) => assert.ok(json.access_token && !('token_type' in json))) },
  ctl_token: { check: member((json) => assert.ok(json.access_token.endsWith('\r\nX-Injected: 1\u0000\u001b[2J'))) },
  no_rotation: { check: member((json) => assert.ok(json.access_token)) }, // these three: see servers.test.mjs
  same_rt: { check: member((json) => assert.ok(json.access_token)) },
  lose_rt: { check: member((json) => assert.ok(json.access_token)) },
  set: {
    fault: { set: { expires_in: -5, extra: API_KEY }, unset: ['token_type'] },
    check: member((json) => assert.deepEqual([json.expires_in, json.extra, 'token_type' in json], [-5, API_KEY, false])),
  },
  raw: {
    fault: { status: 201, body_base64: Buffer.from([0x7b, 0x00, 0xff]).toString('base64'), type: 'application/octet-stream' },
    check: ({ status: got, headers }) => assert.deepEqual([got, headers['content-length'], headers['content-type']], [201, '3', 'application/octet-stream']),
  },
};

// Goes through all kinds that the servers know; each spoils one request and leaves the next alone.
export async function checkEveryKind(world) {
  const kinds = Object.values(await world.control.kinds()).flat();
  assert.deepEqual(kinds.sort(), Object.keys(faultChecks).sort());
  for (const kind of kinds) {
    const { fault, options, check } = faultChecks[kind];
    await world.control.fault({ kind, ...fault });
    const started = performance.now();
    const reply = await machine(world, {}, options).catch((failed) => ({ failed }));
    try {
      check({ ...reply, ms: performance.now() - started });
    } catch (error) {
      error.message = `${kind}: ${error.message}`;
      throw error;
    }
    assert.equal((await machine(world)).status, 200, `after ${kind}`);
  }
}
