// SPDX-License-Identifier: MIT
//
// What doctor says of a machine and its accounts: each thing is broken once, and is named with the command that mends it.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { closeWorld } from './lib/accounts.mjs';
import { unique } from './lib/small-accounts.mjs';
import { onTerminal } from './lib/terminal.mjs';
import { World } from './lib/world.mjs';

const DAY = 86400000;

// A service on this machine that notes who asks, and has a clock of its own.
async function startService() {
  const service = { asked: [], ahead: 0 };
  service.server = http.createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => { body += chunk; });
    request.on('end', () => {
      service.asked.push({ method: request.method, url: request.url, headers: request.headers, body });
      response.writeHead(405, { date: new Date(Date.now() + service.ahead).toUTCString() }).end();
    });
  });
  await new Promise((resolve) => { service.server.listen(0, '127.0.0.1', resolve); });
  service.url = `http://127.0.0.1:${service.server.address().port}/token`;
  return service;
}

describe('a machine and its accounts', () => {
  let [world, service] = [];
  const name = unique('doctor');
  const keys = (extra = {}) => ({ grant: 'client_credentials', client_id: 'doctor', token_endpoint: service.url, match: `https://${name}.example/`, ...extra });

  const doctor = async (args = [], options = {}) => {
    const { code, stdout, stderr } = await world.run(['doctor', ...args, '--json'], options);
    assert.equal(stderr, '');
    const { well, findings } = JSON.parse(stdout);
    assert.equal(well, code === 0, 'exit status 0 only where all is well');
    return { code, findings, of: (subject) => findings.filter((one) => one.subject === subject) };
  };
  // The one finding that is ill, with how it is mended.
  const onlyIll = (result, subject, detail, mend) => {
    const ill = result.findings.filter(({ state }) => state === 'ill');
    assert.equal(ill.length, 1, JSON.stringify(ill));
    assert.equal(ill[0].subject, subject);
    assert.match(ill[0].detail, detail);
    assert.match(ill[0].mend, mend);
    assert.notEqual(result.code, 0);
    return ill[0];
  };
  const withFile = async (file, text, check, mode = 0o600) => {
    fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    fs.writeFileSync(file, text);
    fs.chmodSync(file, mode);
    try {
      await check();
    } finally {
      fs.rmSync(file);
    }
  };
  const config = (...words) => path.join(world.env.XDG_CONFIG_HOME, 'ringbearer', ...words);

  before(async () => {
    [world, service] = [await World.create({ servers: false }), await startService()];
    await world.add(name, keys(), 'a-secret-of-doctor');
  });
  after(async () => {
    service?.server.close();
    await closeWorld(world);
  });

  test('all is well: both tiers, their room, the modules, the bus, the store, the names, the account and its service', async () => {
    const result = await doctor();
    assert.equal(result.code, 0, JSON.stringify(result.findings));
    for (const subject of ['cache: kernel keyring', 'cache: memory', 'modules', 'D-Bus', 'store secret_service', 'names on PATH', 'providers', name]) {
      assert.ok(result.of(subject).some(({ state }) => state === 'well'), subject);
    }
    assert.match(result.of('cache: kernel keyring')[0].detail, /room for \d+ keys of \d+ and \d+ bytes of \d+/);
    for (const subject of ['git', 'docker', 'cargo']) assert.equal(result.of(subject)[0].state, 'unchecked', subject);
  });

  test('nothing is sent but the question whether anybody is there, and no secret is read', async () => {
    service.asked.length = 0;
    await world.keyring.lock();
    const locked = await doctor([name]);
    assert.equal(onlyIll(locked, 'store secret_service', /locked/, /unlock/).error, 'store_locked');
    assert.equal(locked.code, 4);
    await world.keyring.unlock();
    const [asked, ...more] = service.asked;
    assert.deepEqual([more.length, asked.method, asked.url, asked.body, asked.headers.authorization], [0, 'HEAD', '/token', '', undefined]);
    assert.equal((await doctor([name, '--with-secrets'])).of(name).some(({ detail }) => detail === 'its client secret can be read'), true);
  });

  test('a clock that is not the service\'s', async () => {
    service.ahead = DAY;
    try {
      onlyIll(await doctor([name]), new URL(service.url).host, /clock is 86\d{3} s behind/, /timedatectl/);
    } finally {
      service.ahead = 0;
    }
  });

  test('a name that does not resolve, a port where nobody listens', async () => {
    const lost = unique('doctor-lost');
    await withFile(config('accounts', lost), Object.entries(keys({ token_endpoint: 'https://nowhere.invalid/token', client_auth: 'none', match: `https://${lost}.example/` })).map((line) => line.join(' = ')).join('\n'), async () => {
      assert.equal(onlyIll(await doctor([lost]), 'nowhere.invalid', /not reached.*resolve/i, /check the connection/).error, 'network');
    });
    const port = await World.freePort();
    await withFile(config('accounts', lost), Object.entries(keys({ token_endpoint: `http://127.0.0.1:${port}/token`, client_auth: 'none' })).map((line) => line.join(' = ')).join('\n'), async () => {
      onlyIll(await doctor([lost]), `127.0.0.1:${port}`, /not reached/, /check the connection/);
    });
  });

  test('account files: an unknown key, others who can write, two for one place, no secret', async () => {
    const other = unique('doctor-other');
    const text = (extra) => Object.entries(keys({ client_auth: 'none', match: `https://${other}.example/`, ...extra })).map((line) => line.join(' = ')).join('\n');
    await withFile(config('accounts', other), `${text()}\nclient_idd = x\n`, async () => {
      onlyIll(await doctor(), other, /client_idd/, /client_id/);
    });
    await withFile(config('accounts', other), text(), async () => {
      onlyIll(await doctor(), other, /written by others/, /chmod/);
    }, 0o666);
    await withFile(config('accounts', other), text({ match: `https://${name}.example/` }), async () => {
      assert.equal(onlyIll(await doctor(), 'matches', new RegExp(`${name} and ${other}|${other} and ${name}`), /username/).error, 'ambiguous_account');
    });
    await withFile(config('accounts', other), text({ client_auth: 'client_secret_basic' }), async () => {
      assert.equal(onlyIll(await doctor(), other, /client secret is not in the store/, new RegExp(`ringbearer secret ${other}`)).error, 'no_secret');
    });
    await withFile(config('accounts', other), text({ grant: 'authorization_code', authorization_endpoint: service.url }), async () => {
      assert.equal(onlyIll(await doctor(), other, /nobody has logged in/, new RegExp(`ringbearer login ${other}`)).error, 'login_required');
    });
    await withFile(config('accounts', other), text({ allow_unit: 'mine.service' }), async () => {
      onlyIll(await doctor(), 'systemd socket', /mine\.service/, /enable --now ringbearer\.socket/);
    });
    assert.equal((await doctor()).code, 0);
  });

  test('providers: an unknown key, and one that a shipped one hides', async () => {
    await withFile(config('providers', 'mine'), 'title = Mine\ntokn_endpoint = https://example.com/\n', async () => {
      onlyIll(await doctor(), 'provider mine', /tokn_endpoint/, /token_endpoint/);
    });
    await withFile(config('providers', 'github'), 'title = Mine\n', async () => {
      onlyIll(await doctor(), 'provider github', /not used/, /mv /);
    });
  });

  test('modules: one that others can change, one that is none', async () => {
    const folder = path.join(world.dir, 'modules');
    fs.cpSync(world.env.RINGBEARER_MODULE_DIR, folder, { recursive: true, dereference: true });
    const env = { RINGBEARER_MODULE_DIR: folder };
    const grant = path.join(folder, 'grant-device-code.so');
    fs.chmodSync(grant, 0o777);
    onlyIll(await doctor([], { env }), 'grant device_code', /written by others/, /chmod/);
    fs.chmodSync(grant, 0o755);
    fs.writeFileSync(grant, 'no module');
    onlyIll(await doctor([], { env }), 'grant device_code', /cannot be loaded/, /install/);
  });

  test('a folder of PATH that is not readable hides no git: where there is none, there is none', async (t) => {
    const asRoot = process.getuid() === 0 ? ['/usr/bin/setpriv', '--bounding-set=-all'] : []; // who may read everything else
    if (asRoot.length > 0 && !fs.existsSync(asRoot[0])) return t.skip('setpriv is missing');
    const [program, ...words] = [...asRoot, world.program, 'doctor', '--json'];
    const [closed, bin] = [path.join(world.dir, 'closed'), path.join(world.dir, 'a-git')];
    fs.mkdirSync(closed, { mode: 0o000 });
    fs.mkdirSync(bin);
    const git = async () => {
      const { stdout, stderr } = await world.exec(program, words, { env: { PATH: `${closed}:${bin}` } });
      return JSON.parse(stdout || assert.fail(stderr)).findings.find(({ subject }) => subject === 'git');
    };
    const none = await git();
    assert.deepEqual([none.state, none.detail], ['unchecked', 'there is no git in the folders of PATH that can be read; install git']);
    fs.writeFileSync(path.join(bin, 'git'), '', { mode: 0o644 });
    assert.match((await git()).detail, /^git cannot be run \(Permission denied\)/);
    return fs.chmodSync(closed, 0o700);
  });

  test('callers: git, docker and cargo ask a program that is there, or not', async () => {
    const home = world.env.HOME;
    const git = (helper) => withFile(path.join(home, '.gitconfig'), `[credential]\n\thelper = ${helper}\n`, async () => {
      const result = await doctor();
      if (helper === 'ringbearer') assert.deepEqual([result.code, result.of('git')[0].state], [0, 'well']);
      else onlyIll(result, 'git', /names no program/, /ringbearer setup git/);
    });
    await git('ringbearer');
    await git('/nowhere/git-credential-ringbearer');
    const docker = (settings, check) => withFile(path.join(home, '.docker', 'config.json'), settings, async () => check(await doctor()));
    await docker('{"credHelpers":{"registry.example.com":"ringbearer"}}', (result) => assert.match(result.of('docker')[0].detail, /asks docker-credential-ringbearer \(registry\.example\.com in/));
    await docker('{"credsStore":"ringbearer-else"}', (result) => onlyIll(result, 'docker', /not there/, /ln -s/));
    await docker('{"credHelpers":', (result) => onlyIll(result, 'docker', /config\.json/, /./));
    const cargo = (program, check) => withFile(path.join(home, '.cargo', 'config.toml'), `[registries.mine]\ncredential-provider = ["${program}"]\n`, async () => check(await doctor()));
    await cargo('cargo-credential-ringbearer', (result) => assert.equal(result.of('cargo')[0].state, 'well'));
    await cargo('/nowhere/cargo-credential-ringbearer', (result) => onlyIll(result, 'cargo', /not there/, /ln -s/));
    const link = path.join(world.dir, 'bin', 'git-credential-ringbearer');
    fs.rmSync(link);
    assert.match((await doctor()).of('names on PATH')[0].detail, /not there: git-credential-ringbearer/);
    fs.symlinkSync('/bin/true', link);
    onlyIll(await doctor(), 'git-credential-ringbearer', /does not lead to/, /ln -sf/);
    fs.rmSync(link);
    fs.symlinkSync(world.program, link);
  });

  test('a machine without a session needs no keyring service until an account does', { skip: fs.existsSync(`/run/user/${process.geteuid()}/bus`) && 'there is a session' }, async () => {
    const env = { DBUS_SESSION_BUS_ADDRESS: undefined, XDG_RUNTIME_DIR: undefined, XDG_CONFIG_HOME: path.join(world.dir, 'bare') };
    const bare = await doctor([], { env });
    assert.equal(bare.code, 0, JSON.stringify(bare.findings));
    assert.equal(bare.of('store secret_service')[0].state, 'unchecked');
    assert.match(bare.of('store secret_service')[0].detail, /`ringbearer store init`.*--store=file/);
    await withFile(path.join(env.XDG_CONFIG_HOME, 'ringbearer/accounts', name), Object.entries(keys()).map(([key, value]) => `${key} = ${value}\n`).join(''), async () => {
      const result = await doctor([], { env });
      assert.equal(result.of('store secret_service').at(-1).state, 'ill');
      assert.equal(result.code, 4);
    });
  });

  test('for a person: a line each, two screens, and colour only on a terminal that wants it', async () => {
    const plain = await world.must(['doctor']);
    assert.doesNotMatch(plain.stdout, /\x1b/);
    assert.ok(plain.stdout.split('\n').length < 48, plain.stdout);
    assert.match(plain.stdout, /^All is well: /m);
    const terminal = (env) => onTerminal(world, ['doctor'], [], { env });
    assert.match((await terminal({ TERM: 'xterm' })).output, /\x1b\[32mok/);
    assert.doesNotMatch((await terminal({ TERM: 'xterm', NO_COLOR: '1' })).output, /\x1b/);
    assert.deepEqual([(await world.run(['doctor', 'nobody-of-this-name'])).code], [1]);
  });
});
