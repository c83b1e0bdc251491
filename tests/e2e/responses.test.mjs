// SPDX-License-Identifier: MIT
//
// What the token endpoint may answer, and what a caller then sees: exit status, `error=` on the wire,
// a message that says what to do, and a token only if it is one.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { MACHINE } from '../servers/fixtures.mjs';
import { addGeneric, afresh } from './lib/accounts.mjs';
import { jsonServer } from './lib/loopback.mjs';
import { oneAccount } from './lib/one-account.mjs';
import { ask, assertPlain, assertRefused, assertToken, refused } from './lib/outcome.mjs';
import { unique } from './lib/small-accounts.mjs';

const NAME = unique('responses');
const ALWAYS = 99;
let world;
let control;

const fault = (one) => control.fault({ count: ALWAYS, ...one });
const scopes = (words) => ({ kind: 'set', set: { scope: words } });
const raw = (body, more = {}) => ({ kind: 'raw', body, ...more });
const rawBytes = (bytes) => ({ kind: 'raw', body_base64: Buffer.from(bytes).toString('base64') });
const http = (text) => ({ kind: 'raw_http', body: text.replaceAll('\n', '\r\n') });
const html = (status) => ({ kind: 'forbidden_html', status });
const error = (name, status = 400) => ({ kind: 'error', error: name, status });

oneAccount(NAME, (made) => { world = made; control = made.control; });

const rejected = { exit: 6, error: 'client_rejected', says: [new RegExp(`ringbearer secret ${NAME}`), /switched ON/, /client_auth/] };
const config = (...says) => ({ exit: 7, error: 'config', says });
const login = { exit: 3, error: 'login_required', says: /person/ };
const forbidden = { exit: 6, error: 'forbidden', says: [/IP allow list/, /ip_version/, /permission/] };
const denied = { exit: 6, error: 'access_denied', says: /administrator/ };

const refusals = {
  'invalid_request': [error('invalid_request'), config(/client_auth/, /injected fault/)],
  'invalid_client, status 401': [error('invalid_client', 401), rejected],
  'invalid_client, status 400': [error('invalid_client'), rejected],
  'invalid_client, status 200': [error('invalid_client', 200), rejected],
  'invalid_grant': [error('invalid_grant'), config(/`grant`/)],
  'invalid_grant, status 403': [error('invalid_grant', 403), config(/`grant`/)],
  'unauthorized_client': [error('unauthorized_client'), config(/`grant`/)],
  'unsupported_grant_type': [error('unsupported_grant_type'), config(/`grant`/, /token_endpoint/)],
  'invalid_scope': [error('invalid_scope'), { exit: 6, error: 'insufficient_scope', says: /`scope`/ }],
  'invalid_target': [error('invalid_target'), config(/`resource`/)],
  'invalid_dpop_proof': [error('invalid_dpop_proof'), config(/DPoP/)],
  'use_dpop_nonce': [error('use_dpop_nonce'), config(/DPoP/)],
  'interaction_required': [error('interaction_required'), login],
  'consent_required': [error('consent_required'), login],
  'login_required': [error('login_required'), login],
  'access_denied': [error('access_denied'), denied],
  'access_denied, status 403': [error('access_denied', 403), forbidden],
  'an unknown error, status 400': [error('teapot'), config(/teapot/)],
  'an unknown error, status 418': [error('teapot', 418), { ...denied, says: [/teapot/, /administrator/] }],
  'an unknown error, status 403': [error('teapot', 403), forbidden],
  'an unknown error, status 200': [error('teapot', 200), config(/teapot/)],
  'HTML, status 401': [html(401), rejected],
  'HTML, status 402': [html(402), denied],
  'HTML, status 403': [html(403), { ...forbidden, hides: /Request blocked/ }],
  'HTML, status 404': [html(404), config(/token_endpoint/)],
};

describe('a refusal', () => {
  for (const [name, [one, expected]] of Object.entries(refusals)) {
    test(`S0:33 ${name}`, async () => {
      await fault(one);
      await refused(world, NAME, expected);
      assert.equal(await control.count('client_credentials'), 1, 'asked once, and the verdict shared');
    });
  }
});

describe('a redirect is never followed', () => {
  const elsewhere = 'https://elsewhere.example/path?query';
  for (const status of [301, 302, 303, 307, 308]) {
    test(`S2:51 status ${status}`, async () => {
      await fault({ kind: 'redirect', status, body: '' });
      await refused(world, NAME, config(/`127\.0\.0\.1:\d+`/, /never followed/, /token_endpoint/));
      assert.deepEqual(await control.sunk(), []);
    });
  }

  test('with a JSON error beside it, and to a host with an escape sequence', async () => {
    await fault({ kind: 'redirect', location: elsewhere });
    await refused(world, NAME, { ...config(/`elsewhere\.example`/, /never followed/), hides: /path|query/ });
    await control.clearFaults();
    await afresh(world, NAME);
    await fault(http('HTTP/1.1 307 Off\nLocation: https://a\u001b[31mb.example/\nContent-Length: 0\n\n'));
    await refused(world, NAME, config(/token_endpoint/));
  });
});

const token = (members) => raw(JSON.stringify({ access_token: 'good-token', token_type: 'Bearer', expires_in: 60, ...members }));
const nonsense = {
  'HTML, status 200': { kind: 'html200' },
  'JSON cut in half': { kind: 'truncated_json' },
  'an empty body': { kind: 'empty_body' },
  'an object nested 100000 deep': { kind: 'deep' },
  'an object nested 40 deep': { kind: 'deep', depth: 40 },
  'ten megabytes': { kind: 'huge' },
  'a little more than 256 KiB': { kind: 'huge', bytes: 256 * 1024 },
  'two access tokens': { kind: 'dup_keys' },
  'control characters in the token': { kind: 'ctl_token' },
  'a blank in the token': token({ access_token: 'two words' }),
  'no ASCII in the token': token({ access_token: 'gr\u00fcn' }),
  'NUL in the token': token({ access_token: 'good-token\u0000' }),
  'a token of another type': { kind: 'mac' },
  'a type that is no string': token({ token_type: 7 }),
  'no token type': { kind: 'no_token_type' },
  'no token': token({ access_token: undefined }),
  'an empty token': token({ access_token: '' }),
  'a token that is no string': token({ access_token: 12345 }),
  'a token that is null': token({ access_token: null }),
  'an array': raw('[{"access_token":"x","token_type":"Bearer"}]'),
  'a string': raw('"access_token"'),
  'null': raw('null'),
  'a form': raw('access_token=x&token_type=Bearer'),
  'single quotes': raw("{'access_token':'x','token_type':'Bearer'}"),
  'a comment': raw('{"access_token":"x",/* */"token_type":"Bearer"}'),
  'a comma at the end': raw('{"access_token":"x","token_type":"Bearer",}'),
  'something after the object': raw('{"access_token":"x","token_type":"Bearer"} x'),
  'NUL after the object': raw('{"access_token":"x","token_type":"Bearer"}\u0000{}'),
  'a raw newline in a string': raw('{"access_token":"x\n","token_type":"Bearer"}'),
  'S2:61 no braces, as in the documentation': raw('"access_token":"x","token_type":"Bearer","expires_in":3600'),
  'NaN': raw('{"access_token":"x","token_type":"Bearer","expires_in":NaN}'),
  'bytes that are no UTF-8': rawBytes([...Buffer.from('{"access_token":"x","token_type":"Bearer","n":"'), 0xff, ...Buffer.from('"}')]),
  'status 204': http('HTTP/1.1 204 No\n\n'),
  'a length that is no number': http('HTTP/1.1 200 OK\nContent-Length: nonsense\n\n'),
  'something that is no HTTP': http('220 mail.example ESMTP\n'),
};

describe('nonsense is exit 8', () => {
  for (const [name, one] of Object.entries(nonsense)) {
    test(name, async () => {
      await fault(one);
      await refused(world, NAME, { exit: 8, error: 'malformed_response', says: /token_endpoint|support|only Bearer/ });
    });
  }
});

describe('what a server may do', () => {
  const good = {
    'lower-case bearer': { kind: 'bearer_lower' },
    'a byte order mark': { kind: 'bom' },
    'status 201': raw('{"access_token":"good-token","token_type":"Bearer","expires_in":3600}', { status: 201 }),
    'expires_in as "3600.0"': { kind: 'set', set: { expires_in: '3600.0' } },
    'expires_in as " 3600"': { kind: 'set', set: { expires_in: ' 3600' } },
    'an error that is empty': { kind: 'set', set: { error: '', error_description: '' } },
    'an error that is false': { kind: 'set', set: { error: false } },
    'expires_in as a string': { kind: 'expires_string' },
    'expires_in with a fraction': { kind: 'set', set: { expires_in: 3600.5 } },
    'the wrong media type': { kind: 'wrong_type' },
    'one byte per chunk': { kind: 'chunked' },
    'members that nobody knows': { kind: 'set', set: { extra: [{ deep: ':{' }], id_token: null, error: null } },
    'blanks around the object': raw(' \r\n\t{ "access_token" : "good-token" , "token_type":"Bearer","expires_in":3600 }\n'),
  };
  for (const [name, one] of Object.entries(good)) {
    test(name, async () => {
      const now = Math.floor(Date.now() / 1000);
      await fault({ ...one, count: 1 });
      const result = await ask(world, NAME);
      const left = Number(result.answer.password_expiry_utc) - now;
      assert.ok(left >= 3599 && left < 3610, `${left} s are left`);
      assert.equal(result.stderr, '');
      assert.equal(assertToken(await ask(world, NAME)), assertToken(result), 'kept');
    });
  }

  const unknown = {
    'no expires_in': { kind: 'no_expires' },
    'expires_in that is no number': { kind: 'set', set: { expires_in: 'soon' } },
    'expires_in of twenty years': { kind: 'set', set: { expires_in: 20 * 365 * 86400 } },
    'expires_in null': { kind: 'set', set: { expires_in: null } },
  };
  for (const [name, one] of Object.entries(unknown)) {
    test(`${name}: no expiry is made up`, async () => {
      await fault({ ...one, count: 1 });
      const result = await ask(world, NAME);
      assertToken(result);
      assert.equal('password_expiry_utc' in result.answer, false);
      assert.equal(assertToken(await ask(world, NAME)), result.answer.credential, 'kept for a while all the same');
    });
  }

  for (const expires_in of [0, -5, '-1']) {
    test(`expires_in ${expires_in}: not kept, and asked for once by each caller`, async () => {
      await fault({ kind: 'set', set: { expires_in } });
      assert.notEqual(assertToken(await ask(world, NAME)), assertToken(await ask(world, NAME)));
      await pause(200);
      assert.equal(await control.count('client_credentials'), 2);
    });
  }

  test('a token fills a line of the answer, or is refused; it is never cut', async () => {
    const longest = 65535 - 'credential=\n'.length;
    let access_token;
    const server = await jsonServer(() => ({ access_token, token_type: 'Bearer', expires_in: 60 }));
    await addGeneric(world, `${NAME}-long`, { token_endpoint: `${server.url}/token` });
    for (const more of [0, 1, 2, 10, 1000]) {
      access_token = 'A'.repeat(longest + more);
      await afresh(world, `${NAME}-long`);
      const result = await ask(world, `${NAME}-long`);
      if (more === 0) assert.equal(assertToken(result), access_token);
      else assertRefused(result, { exit: 8, error: 'malformed_response', says: /line/ }, `${more} too long`);
    }
    server.close();
  });

  test('a narrower scope: the token, without a word at each renewal, unless the caller needs more', async () => {
    await addGeneric(world, `${NAME}-scope`, { scope: 'read:segments write:segments' });
    await fault(scopes('read:segments'));
    const result = await ask(world, `${NAME}-scope`);
    assertToken(result);
    assert.equal(result.answer.scope, 'read:segments');
    assert.equal(result.stderr, '', 'a login would say it');
    await refused(world, `${NAME}-scope`, { exit: 6, error: 'insufficient_scope', says: [/`read:segments`/, /write:segments/] }, { scope: 'write:segments' });
    await control.clearFaults();
    await afresh(world, `${NAME}-scope`);
    await fault(scopes('write:segments  read:segments more'));
    assert.equal((await ask(world, `${NAME}-scope`)).stderr, '', 'order and extras do not matter');
  });

  test('no token type, where the account says so; no refresh token is kept', async () => {
    await addGeneric(world, `${NAME}-untyped`, { token_type_required: 'no' });
    await fault({ kind: 'set', set: { refresh_token: 'not-wanted' }, unset: ['token_type'] });
    assertToken(await ask(world, `${NAME}-untyped`));
    const { stdout } = await world.exec('secret-tool', ['search', '--all', 'kind', 'refresh_token']);
    assert.equal(stdout, '');
  });
});

describe('what is shown of the server\'s words', () => {
  const escapes = '\u001b[31mred\u001b]0;title\u0007 \u009b2J \u202e\r\nAuthorization: none \u007f "quoted\\" end';
  const spoken = {
    'in the description': { error_description: escapes },
    'in the error': { error: escapes },
    'beside invalid_client': { error: 'invalid_client', error_description: escapes },
  };
  for (const [name, one] of Object.entries(spoken)) {
    test(`no terminal escapes ${name}`, async () => {
      await fault({ kind: 'error', ...one });
      const result = await ask(world, NAME);
      assert.ok(result.code > 0);
      assertPlain(result);
      assert.match(result.stderr, /red/);
      assert.doesNotMatch(result.stderr, /\u202e|quoted[\\"]/);
    });
  }

  test('480 bytes of it at most, with the reason that stands at the end', async () => {
    await fault({ kind: 'error', error_description: `${'x'.repeat(8000)} The refresh token was used before.` });
    const { stderr } = await ask(world, NAME);
    assert.ok(/x{200}/.test(stderr) && !/x{480}/.test(stderr), `${stderr.length} bytes`);
    assert.match(stderr, /x \.\.\. x+ The refresh token was used before\., status 400\)/);
  });

  const secrets = { plain: MACHINE.client_secret, quoted: 'not-a-"secret\\with-quotes-in-it', odd: 'not a+secret%with:all/of=it&?' };
  for (const [name, client_secret] of Object.entries(secrets)) {
    test(`the secret never shows, even if the server says it back: ${name}`, async () => {
      const [account, tail] = [`${NAME}-echo-${name}`, client_secret.slice(-12)];
      await addGeneric(world, account, { client: { ...MACHINE, client_secret } });
      const faults = [{ kind: 'echo_secret' }, { kind: 'error', error: client_secret },
        ...[220, 240, 250].map((size) => ({ kind: 'error', error_description: 'x'.repeat(size) + client_secret }))];
      for (const one of faults) {
        await control.clearFaults();
        await fault(one);
        const result = await ask(world, account, {}, { env: { RINGBEARER_TRACE: '1' } });
        const { stdout } = await world.run(['list', '--json']);
        const shown = (result.stdout + result.stderr + stdout).replaceAll(/["\\]/g, '');
        assert.ok(result.code > 0);
        for (const part of [tail, client_secret.slice(0, 8)]) assert.ok(!shown.includes(part.replaceAll(/["\\]/g, '')), result.stderr);
        await afresh(world, account);
      }
    });
  }
});

describe('try again later', { concurrency: true }, () => {
  const busy = {
    'status 429': { kind: '429' }, 'status 500': { kind: '500' }, 'status 502': { kind: '502' }, 'status 503': { kind: '503' },
    'status 503 without a body': { kind: 'empty_503' }, 'status 504, HTML': html(504),
    'server_error, status 400': error('server_error'), 'temporarily_unavailable, status 400': error('temporarily_unavailable'),
    'a body cut short': { kind: 'raw_http', body: 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"access' },
  };
  for (const [index, [name, one]] of Object.entries(busy).entries()) {
    test(name, async () => {
      const client_id = `${NAME}-busy-${index}`;
      await addGeneric(world, client_id, { client: { ...MACHINE, client_id } });
      await fault({ ...one, client_id });
      const expected = { exit: 5, error: name.includes('cut') ? 'network' : 'temporarily_unavailable', says: /try again/ };
      assertRefused(await ask(world, client_id), expected);
    });
  }
});
