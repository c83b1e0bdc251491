// SPDX-License-Identifier: MIT
//
// What the listener of a login sends to browsers: the same headers with every answer, one style sheet
// that its hash allows, nothing that runs, nothing from elsewhere, and nothing that a stranger said.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, beforeEach, describe, test } from 'node:test';
import { closeWorld } from './lib/accounts.mjs';
import { addPublic } from './lib/login-accounts.mjs';
import { altered, Login } from './lib/login.mjs';
import { unique } from './lib/small-accounts.mjs';
import { World } from './lib/world.mjs';

const NAME = unique('pages');
const MARKUP = '<script>alert(1)</script>"\'&amp;<img src=//attacker.test/x>';
const KINDS = { ok: 200, elsewhere: 303, stranger: 400, host: 400, long: 400, nothing: 404, method: 405, denied: 200, failed: 200 };
let world;
let answers; // one of each kind, with everything in the requests that could come back

// Visits the listener in all the ways that are answered.
async function collect() {
  const login = await Login.begin(world, NAME);
  const found = {
    stranger: await login.get({ code: MARKUP, state: MARKUP, error_description: MARKUP }),
    host: await login.get({}, { host: MARKUP }),
    long: await login.send(`GET /callback?${MARKUP.repeat(200)}`),
    nothing: await login.get({ x: MARKUP }, { path: `/${MARKUP.replaceAll(' ', '+')}` }),
    method: await login.get({ x: MARKUP }, { method: 'POST' }),
  };
  const location = new URL(altered({ [MARKUP]: MARKUP })(await login.consent()));
  found.elsewhere = await login.send(`GET ${location.pathname}${location.search} HTTP/1.1\r\nHost: ${location.host}\r\n\r\n`);
  found.ok = await login.get(undefined, { path: '/done' });
  assert.equal((await login.end()).code, 0);
  return found;
}

// How a login ends that a person refused, or that failed afterwards.
async function collectFailure(change) {
  const login = await Login.begin(world, NAME);
  const location = new URL(change(await login.consent()));
  assert.equal((await login.get(location.searchParams)).status, 303);
  const page = await login.get(undefined, { path: '/done' });
  return { page, ...await login.end() };
}

const refusal = (error, error_description) => altered({ code: null, error, error_description });

before(async () => {
  world = await World.create();
  await addPublic(world, NAME);
  answers = await collect();
  answers.denied = (await collectFailure(refusal('access_denied', MARKUP))).page;
  answers.failed = (await collectFailure(refusal(MARKUP, MARKUP))).page;
});
after(() => closeWorld(world));
beforeEach(() => world.control.reset());

const styleOf = (body) => /<style>([^<]*)<\/style>/.exec(body)?.[1];
const hashOf = (text) => `sha256-${createHash('sha256').update(text).digest('base64')}`;
const policy = (hash) => `default-src 'none'; style-src '${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

const always = (hash) => ({
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': policy(hash),
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cross-origin-opener-policy': 'same-origin',
  connection: 'close',
});
const besides = { elsewhere: { location: '/done' }, method: { allow: 'GET' } };

describe('every answer', () => {
  test('of all kinds there is one', () => {
    assert.deepEqual(Object.fromEntries(Object.entries(answers).map(([kind, { status }]) => [kind, status])), KINDS);
  });

  for (const kind of Object.keys(KINDS)) {
    test(`${kind}: exactly these headers, and nothing that a stranger said`, () => {
      const { headers: { 'content-length': length, ...headers }, body, text } = answers[kind];
      assert.deepEqual(headers, { ...always(hashOf(styleOf(answers.ok.body))), ...besides[kind] });
      assert.equal(Number(length), Buffer.byteLength(body));
      const [first, ...lines] = text.split('\r\n\r\n')[0].split('\r\n');
      assert.match(first, /^HTTP\/1\.1 \d{3} [A-Z][A-Za-z ]+$/);
      const names = lines.map((line) => line.split(':')[0].toLowerCase());
      assert.equal(new Set(names).size, names.length, 'none of them twice');
      for (const part of ['alert', 'attacker', 'script', '&amp;amp', MARKUP]) assert.ok(!text.includes(part), part);
    });
  }
});

describe('every page', () => {
  for (const kind of Object.keys(KINDS).filter((name) => name !== 'elsewhere')) {
    test(`${kind}: runs nothing, loads nothing, has one style sheet`, () => {
      const { body, headers } = answers[kind];
      assert.ok(headers['content-security-policy'].includes(`'${hashOf(styleOf(body))}'`));
      assert.equal(body.split('<style').length, 2);
      assert.doesNotMatch(body, /<(script|link|img|iframe|form|base|object|embed|a)\b|\bon\w+=|style=|\b(src|href|action)=|javascript:|@import|url\(/i);
      assert.doesNotMatch(body, /https?:|\/\//, 'no address at all');
    });

    test(`${kind}: is a page as HTML wants it`, () => {
      const { body } = answers[kind];
      assert.match(body, /^<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width/);
      const [, title] = /<title>([^<]+)<\/title>/.exec(body);
      const [, heading] = /<h1>([^<]+)<\/h1>/.exec(body);
      assert.ok(title.startsWith(heading) && title.includes('ringbearer'), title);
      for (const name of ['html', 'head', 'body', 'main', 'h1', 'p', 'footer']) {
        assert.equal(body.split(`<${name}`).length - 1 >= 1, true, name);
        assert.equal(body.split(new RegExp(`<${name}[ >]`)).length, body.split(`</${name}>`).length, name);
      }
    });
  }

  test('says what came of the login, and where to read on', () => {
    const text = (kind) => answers[kind].body.replace(/<style>.*<\/style>/s, '').replaceAll(/<[^>]+>/g, '\n');
    assert.match(text('ok'), /You are logged in\n.*close this window/s);
    assert.match(text('denied'), /not (allow|grant).*terminal/s);
    assert.match(text('failed'), /did not work.*terminal/s);
    for (const kind of ['denied', 'failed']) assert.match(text(kind), /Nothing was stored/);
    for (const kind of ['stranger', 'host', 'long', 'nothing', 'method']) assert.match(text(kind), /terminal/, kind);
  });

  test('good and bad differ in more than colour', () => {
    const drawing = (kind) => /<svg.*<\/svg>/s.exec(answers[kind].body)[0];
    assert.notEqual(drawing('ok'), drawing('denied'));
    assert.equal(drawing('denied'), drawing('failed'));
  });

  test('what the service says reaches the terminal, tame', async () => {
    const { page, code, stderr } = await collectFailure(refusal('access_denied', `${MARKUP} \u009b2J\u2028 and \u202eturned`));
    assert.equal(code, 6);
    assert.match(stderr, /access_denied/);
    assert.doesNotMatch(stderr, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    assert.ok(!page.body.includes('turned'));
  });
});
