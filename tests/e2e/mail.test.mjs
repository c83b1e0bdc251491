// SPDX-License-Identifier: MIT
//
// Mail programs, against a real mail server that asks the authorization server about every token: fetching with isync,
// sending with msmtp, and the SASL messages for programs that send them as they are.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import tls from 'node:tls';
import { after, before, test } from 'node:test';
import { DEVICE_CLI, FIELD_SERVICE } from '../servers/fixtures.mjs';
import { startMailServer } from '../servers/mail-server.mjs';
import { closeWorld } from './lib/accounts.mjs';
import { run } from './lib/processes.mjs';
import { block } from './lib/readme.mjs';
import { until } from './lib/until.mjs';
import { World } from './lib/world.mjs';

const NAME = `mail-${process.pid}`;
const USER = 'operator';
const LETTER = 'From: a@example.com\r\nTo: b@example.com\r\nSubject: greetings\r\n\r\nhello\r\n';
let world;
let mail;
let why;

const has = (program, ...args) => run(program, args, { env: process.env }).then(({ code, stdout }) => code === 0 && stdout, () => false);

before(async () => {
  if (!await has('dovecot', '--version')) {
    why = 'dovecot is missing';
    return;
  }
  world = await World.create();
  const { client_id, client_secret } = FIELD_SERVICE;
  const introspection = `${world.urls['b-plain'].replace('//', `//${client_id}:${client_secret}@`)}/oauth2/introspect`;
  mail = await startMailServer({ introspection, certificates: path.join(world.dir, 'certificates'), env: world.env });
  await world.add(NAME, {
    provider: 'oidc', issuer: world.urls.b, grant: 'authorization_code', client_auth: 'none', client_id: DEVICE_CLI.client_id, redirect_uri: 'http://127.0.0.1/callback',
    scope: 'devices:read offline_access', ca_file: world.caFile, username: USER, match: `imaps://localhost:${mail.imaps}/`,
  });
  const { code, stderr } = await world.login(NAME, { user: USER });
  assert.equal(code, 0, stderr);
  mail.deliver(USER, LETTER);
});
after(async () => {
  await mail?.stop();
  if (world) await closeWorld(world);
});

// The README's lines for one program, with this test's account in place of its own.
const readme = (file) => block('mail').split(/^# /m).find((part) => part.startsWith(`${file}\n`)).slice(file.length + 1)
  .replaceAll('acme', NAME);

async function fetchMail() {
  const store = path.join(world.dir, 'maildir');
  fs.mkdirSync(store, { recursive: true });
  const config = path.join(world.dir, 'mbsyncrc');
  fs.writeFileSync(config, `IMAPAccount here
Host localhost
Port ${mail.imaps}
User ${USER}
${readme('~/.mbsyncrc')}SSLType IMAPS
CertificateFile ${world.caFile}

IMAPStore far
Account here

MaildirStore near
Path ${store}/
Inbox ${store}/INBOX

Channel all
Far :far:
Near :near:
Create Near
Sync Pull
SyncState *
`, { mode: 0o600 });
  const result = await world.exec('mbsync', ['-c', config, 'all'], { timeout: 20000 });
  const inbox = path.join(store, 'INBOX/new');
  return { ...result, letters: fs.existsSync(inbox) ? fs.readdirSync(inbox).map((name) => fs.readFileSync(path.join(inbox, name), 'utf8')) : [] };
}

function sendMail(settings) {
  const config = path.join(world.dir, 'msmtprc');
  fs.writeFileSync(config, `account default
host localhost
port ${mail.submissions}
from a@example.com
user ${USER}
tls on
tls_starttls off
tls_trust_file ${world.caFile}
${settings}`, { mode: 0o600 });
  return world.exec('msmtp', ['-C', config, 'b@example.com'], { input: LETTER, timeout: 20000 });
}

// Speaks IMAP as a script would: { ok, text } of AUTHENTICATE with an initial response (RFC 4959).
function authenticate(mechanism, response) {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ host: 'localhost', port: mail.imaps, ca: world.ca, servername: 'localhost' });
    let text = '';
    socket.once('error', reject).on('close', () => resolve({ ok: /^a OK/m.test(text), text }));
    socket.on('data', (chunk) => {
      text += chunk;
      if (/^\* OK.*\r\n$/.test(text)) socket.write(`a AUTHENTICATE ${mechanism} ${response}\r\n`);
      if (/^\+ .*\r\n$/m.test(text) && !/^a /m.test(text)) socket.write('AQ==\r\n'); // RFC 7628 section 3.2.3
      if (/^a (OK|NO|BAD).*\r\n/m.test(text)) socket.destroy();
    });
  });
}

async function skips(t, program, version = '--version') {
  const missing = why ?? (program && !await has(program, version) ? `${program} is missing` : undefined);
  if (missing) t.skip(missing);
  return missing !== undefined;
}

const hasMechanism = () => ['/usr/lib', ...fs.readdirSync('/usr/lib').map((name) => `/usr/lib/${name}`)].map((name) => `${name}/sasl2`)
  .some((name) => fs.existsSync(name) && fs.readdirSync(name).some((file) => /xoauth2/.test(file)));

test('isync fetches, and goes on after the token has expired', async (t) => {
  if (await skips(t, 'mbsync')) return;
  if (!hasMechanism()) { t.skip('libsasl2 has no module for XOAUTH2'); return; }
  await world.control.ttl({ access: 2 });
  await world.must(['refresh', NAME]);
  const first = (await world.must(['token', NAME])).stdout;
  const fetched = await fetchMail();
  assert.equal(fetched.code, 0, fetched.stderr + mail.log());
  assert.deepEqual(fetched.letters.map((letter) => letter.includes('Subject: greetings')), [true]);

  await until(async () => (await authenticate('XOAUTH2', Buffer.from(`user=${USER}\x01auth=Bearer ${first.trim()}\x01\x01`).toString('base64'))).ok === false, 'the first token expires');
  const before = await world.control.count('refresh_token', 'b');
  mail.deliver(USER, `${LETTER}again\r\n`);
  const again = await fetchMail();
  assert.equal(again.code, 0, again.stderr);
  assert.equal(again.letters.length, 2);
  assert.ok(await world.control.count('refresh_token', 'b') > before, 'a renewal came in between');
  await world.control.ttl({ access: 3600 });
});

for (const mechanism of ['oauthbearer', 'xoauth2']) {
  test(`msmtp sends with ${mechanism}`, async (t) => {
    if (await skips(t, 'msmtp')) return;
    const count = mail.received.length;
    const { code, stderr } = await sendMail(readme('~/.msmtprc').replace('oauthbearer', mechanism));
    assert.equal(code, 0, stderr + mail.log());
    assert.match(mail.received[count], /Subject: greetings/);
  });
}

test('a token that was revoked: the mail program fails, `refresh` mends it', async (t) => {
  if (await skips(t, 'msmtp')) return;
  await world.must(['token', NAME]);
  await world.control.expire('AccessToken', 'b');
  const refused = await sendMail(readme('~/.msmtprc'));
  assert.notEqual(refused.code, 0, 'nobody has told ringbearer that the token is refused');
  await world.must(['refresh', NAME]);
  const { code, stderr } = await sendMail(readme('~/.msmtprc'));
  assert.equal(code, 0, stderr);
});

for (const form of ['xoauth2', 'oauthbearer']) {
  test(`--format=${form} is what the server takes, and only for the user it names`, async (t) => {
    if (await skips(t)) return;
    const place = `--url=imaps://localhost:${mail.imaps}/`;
    const { stdout } = await world.must(['get', place, `--format=${form}`]);
    assert.match(stdout, /^[A-Za-z0-9+/]+=*\n$/);
    const text = Buffer.from(stdout, 'base64').toString();
    if (form === 'oauthbearer') assert.match(text, new RegExp(`^n,a=${USER},\x01host=localhost\x01port=${mail.imaps}\x01auth=Bearer [^\x01]+\x01\x01$`));
    const good = await authenticate(form.toUpperCase(), stdout.trim());
    assert.ok(good.ok, good.text + mail.log());
    const other = await authenticate(form.toUpperCase(), Buffer.from(text.replace(USER, 'auditor')).toString('base64'));
    assert.ok(!other.ok, other.text);
  });
}
