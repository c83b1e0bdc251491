// SPDX-License-Identifier: MIT
//
// What a service, a file or a caller writes, as a person gets to read it: nothing drives the terminal, nothing is there that is
// not seen, and a secret that a service sends back is not repeated, in whatever form it comes.

import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { closeWorld } from '../e2e/lib/accounts.mjs';
import { unique } from '../e2e/lib/small-accounts.mjs';
import { World } from '../e2e/lib/world.mjs';

const SECRET = 'p@ss "w\\rd"/+4711&!';
const LONG = `sk_${'0123456789abcdef'.repeat(560)}`; // longer than what is looked at
const CLIENT = 'made up:client';
// Overrides, isolates, marks, without width, separators, tags, selectors, C0, C1, private, unassigned; and a lone byte below.
const UNSEEN = ['\u202e', '\u2066', '\u2069', '\u200e', '\u061c', '\u200b', '\u2060', '\ufeff', '\u2028', '\u2029', '\u{e0041}', '\ufe0f', '\u{e0100}', '\u0007',
  '\u001b', '\u007f', '\u0085', '\u009b', '\ue000', '\u{10fffd}', '\ufffe', '\u0378', '\u00ad', '\u3164'];
const TEXT = `seen: p\u00e4ss \u6f22\u5b57 \u{1f511} ${UNSEEN.join('x')} end`;
let world;
let server;
let describe_; // what the service says of a request

const hex = (text, upper) => Buffer.from(text).toString('hex')[upper ? 'toUpperCase' : 'toString']();
const form = (text) => new URLSearchParams({ a: text }).toString().slice(2);
const html = (text) => text.replaceAll('&', '&amp;').replaceAll('"', '&#34;');
const seen = (text) => UNSEEN.filter((character) => text.includes(character));

// The forms in which a service could have it, each as a function of the request.
const ECHOES = {
  'as it was sent': ({ header, body }) => `${header} ${body}`,
  'in the text of JSON': ({ header, body }) => JSON.stringify(JSON.stringify(header + body)),
  'plain': () => SECRET,
  'in JSON': () => JSON.stringify({ client_secret: SECRET }).replaceAll('/', '\\/'),
  'as characters of JSON': () => [...SECRET].map((one) => `\\u00${hex(one)}`).join(''),
  'as a form, in lower case': () => form(SECRET).replace(/%../g, (escape) => escape.toLowerCase()),
  'as a URL': () => encodeURIComponent(SECRET),
  'escaped twice': () => encodeURIComponent(encodeURIComponent(SECRET)),
  'in HTML': () => html(SECRET),
  'in base64': () => Buffer.from(SECRET).toString('base64'),
  'in base64url': () => Buffer.from(`\u00ff\u00fe${SECRET}`).toString('base64url'),
  'in base64, escaped': ({ header, body }) => encodeURIComponent(header || Buffer.from(body).toString('base64')),
  'raw pairs': () => `Basic ${Buffer.from(`${CLIENT}:${SECRET}`).toString('base64')}`,
  'in hexadecimal': () => `${hex(SECRET)} ${hex(SECRET, true)}`,
  'cut': () => SECRET.slice(0, 13),
};

// All that would tell it; in what forms text is, is undone here by node's own functions.
function assertSecret(said, secret, what) {
  const pieces = [secret, form(secret), encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), html(secret), hex(secret)].map((one) => one.slice(0, 12));
  const decoded = [...said.matchAll(/[A-Za-z0-9+/_-]{8,}/g)].flatMap(([run]) => [0, 1, 2, 3].map((from) => Buffer.from(run.slice(from), 'base64').toString('latin1')));
  for (const text of [said, said.toLowerCase(), ...decoded])
    for (const piece of pieces) assert.ok(!text.includes(piece) && !text.includes(piece.toLowerCase()), `${what}: ${said}`);
}

before(async () => {
  world = await World.create({ servers: false });
  server = http.createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk)).on('end', () => {
      const header = request.headers.authorization ?? '';
      response.writeHead(400, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ error: 'invalid_client', error_description: describe_({ header, body: Buffer.concat(chunks).toString() }) }));
    });
  });
  await new Promise((resolve) => { server.unref().listen(0, '127.0.0.1', resolve); });
});
after(async () => {
  server.closeAllConnections();
  server.close();
  await closeWorld(world);
});

const add = (name, keys, secret) => world.add(name, {
  provider: 'oauth2', grant: 'client_credentials', client_id: CLIENT, token_endpoint: `http://127.0.0.1:${server.address().port}/token`, ...keys,
}, secret);

async function refusal(name) {
  await world.request({ account: name }, { verb: 'erase' });
  const result = await world.request({ account: name, capability: ['error'] });
  assert.equal(result.answer.error, 'client_rejected', result.stderr);
  return result.stderr + result.answer.error_description;
}

describe('a service that repeats what it was sent', () => {
  for (const [client_auth, basic_encoding] of [['client_secret_basic', 'rfc'], ['client_secret_basic', 'raw'], ['client_secret_post', 'rfc']])
    test(`${client_auth}, ${basic_encoding}`, async () => {
      const name = unique(`echo-${client_auth}-${basic_encoding}`);
      await add(name, { client_auth, basic_encoding }, SECRET);
      for (const [what, echo] of Object.entries(ECHOES)) {
        describe_ = (request) => `cannot authenticate: ${echo(request)}`;
        const said = await refusal(name);
        assert.match(said, /cannot authenticate: .*\*{8}/, what);
        assertSecret(said, SECRET, what);
      }
    });

  test('a secret that is longer than what is looked at, or is cut by anybody, leaves no beginning', async () => {
    for (const client_auth of ['client_secret_basic', 'client_secret_post']) {
      const name = unique(`long-${client_auth}`);
      await add(name, { client_auth }, LONG);
      for (const echo of [({ header, body }) => header + body, () => LONG.slice(0, 40), () => `${'.'.repeat(8100)}${LONG}`, () => Buffer.from(LONG).toString('base64').slice(0, 60)]) {
        describe_ = echo;
        assertSecret(await refusal(name), LONG, client_auth);
      }
    }
  });
});

describe('what is not seen does not get through', () => {
  test('in an answer of a service, on stderr and on the wire', async () => {
    const name = unique('unseen');
    await add(name, {}, SECRET);
    describe_ = () => TEXT;
    const said = await refusal(name);
    assert.match(said, /seen: /);
    assert.deepEqual(seen(said), []);
    assert.ok(!said.includes('\ufffd'), 'and what is left is text');
  });

  test('in a file: show, list, and every message about it', async () => {
    const name = unique('file');
    const lines = (more) => `provider = oauth2\ngrant = client_credentials\nclient_id = ${TEXT.replace(/[\0-\x1f\x7f]/g, '')}\ntoken_endpoint = https://api.example.com/t?${TEXT.replaceAll(' ', '')}\nmatch = https://api.example.com/\n${more}`;
    world.account(name, lines(''));
    world.account(`${name}-broken`, lines(`grant = ${TEXT}\n`));
    const results = [];
    for (const args of [['show', name], ['list'], ['list', '--json'], ['show', `${name}-broken`], ['token', name], ['add', TEXT], ['help', TEXT], ['show', `--${TEXT}`], ['providers'], ['token', TEXT]])
      results.push([args, await world.run(args)]);
    for (const [args, { stdout, stderr }] of results) {
      assert.ok(stdout + stderr !== '', args);
      assert.deepEqual(seen(stdout + stderr), [], args.join(' '));
    }
    assert.match(results[0][1].stdout, /^client_id = seen: p\u00e4ss \u6f22\u5b57 \u{1f511} \?+x/mu);
    const listed = JSON.parse(results[2][1].stdout).find(({ account }) => account === `${name}-broken`);
    assert.equal(listed.state, 'broken');
  });

  test('in what a caller asks for, and in what git has stored', async () => {
    const host = 'text.example.com';
    await world.request({ protocol: 'https', host, username: TEXT.replace('\u0007', ''), password: 'made-up' }, { verb: 'store' });
    const said = [await world.request({ protocol: 'https', host, username: TEXT, path: TEXT }), await world.run(['list', '--passwords']), await world.run(['list', '--passwords', '--json']),
      await world.exec('docker-credential-ringbearer', ['get'], { input: `https://${TEXT}/` }), await world.exec('terraform-credentials-ringbearer', ['get', TEXT]),
      await world.exec('cargo-credential-ringbearer', ['--cargo-plugin'], { input: `{"v":1,"registry":{"index-url":"sparse+https://${TEXT}/"},"kind":"get","operation":"read"}\n` })];
    for (const { stdout, stderr } of said) assert.deepEqual(seen(stdout + stderr), [], stdout + stderr);
  });

  test('the table of what is seen has nothing in it that Unicode says is not', async () => {
    const { default: fs } = await import('node:fs');
    const edges = fs.readFileSync(new URL('../../protocol/text-ranges.h', import.meta.url), 'utf8').match(/0x[0-9a-f]+/g).map(Number);
    const never = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]/u;
    const wrong = [];
    for (let i = 0; i < edges.length; i += 2)
      for (let code = edges[i]; code < (edges[i + 1] ?? 0x110000); code += 1)
        if (never.test(String.fromCodePoint(code))) wrong.push(code.toString(16));
    assert.deepEqual(wrong, []);
    assert.ok(edges.length > 1000 && edges.every((edge, i) => i === 0 || edge > edges[i - 1]));
  });
});
