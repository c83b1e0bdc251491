// SPDX-License-Identifier: MIT
//
// systemd's LoadCredential=: the units that are installed, what the socket's service answers to whom, and a user manager
// that really loads a credential.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { accountFile, addGeneric, closeWorld, edit } from './lib/accounts.mjs';
import { BUILD, PROGRAM, SOURCE, compile, isInstrumented } from './lib/builds.mjs';
import { run, start } from './lib/processes.mjs';
import { block } from './lib/readme.mjs';
import { HOSTILE, KEY, addKey, unique } from './lib/small-accounts.mjs';
import { until } from './lib/until.mjs';
import { startUserManager } from './lib/user-manager.mjs';
import { World } from './lib/world.mjs';

const UNIT = 'backup.service';
const unbuilt = ['system', 'user'].every((kind) => fs.existsSync(path.join(BUILD, 'packaging/systemd', kind, 'ringbearer@.service')))
  ? undefined : 'this build installs no units';
const has = (program) => run(program, ['--version'], { env: process.env }).then(({ code }) => code === 0, () => false);
const read = (...names) => fs.readFileSync(path.join(...names), 'utf8');
const ownProgram = (text) => text.replace(/^ExecStart=\S+\/ringbearer /m, `ExecStart=${PROGRAM} `);
const socketUnit = (kind) => read(SOURCE, 'packaging/systemd', kind, 'ringbearer.socket');
const serviceUnit = (kind) => ownProgram(read(BUILD, 'packaging/systemd', kind, 'ringbearer@.service'));

describe('what the socket answers', () => {
  const name = unique('unit');
  let world;
  let client;
  let server;
  let said = '';
  let why;

  before(async () => {
    if (!await has('systemd-socket-activate')) { why = 'systemd-socket-activate is missing'; return; }
    world = await World.create({ servers: false });
    client = path.join(world.dir, 'unit-client');
    await compile('-O', '-Wall', '-Wextra', '-Werror', '-D_GNU_SOURCE', '-o', client, path.join(SOURCE, 'tests/e2e/lib/unit-client.c'));
    await addKey(world, name, { allow_unit: [UNIT, 'job@.service'] });
    world.socket = path.join(world.dir, 'credentials.sock');
    // --inetd gives the socket to all three descriptors: what is meant for the journal goes to a file.
    server = start('systemd-socket-activate', ['--accept', '--inetd', '-l', world.socket,
      ...['RINGBEARER_WORLD', 'RINGBEARER_MODULE_DIR', 'RINGBEARER_PROVIDER_DIR', 'HOME', 'XDG_CONFIG_HOME', 'XDG_RUNTIME_DIR', 'DBUS_SESSION_BUS_ADDRESS']
        .filter((key) => world.env[key]).flatMap((key) => ['-E', key]),
      '/bin/sh', '-c', 'exec 2>>"$0.messages"; "$1" systemd; echo "status $?" >&2', world.socket, world.program],
    { env: world.env, stdio: ['ignore', 'ignore', 'pipe'] });
    server.stderr.on('data', (chunk) => { said += chunk; });
    await until(() => /^Listening on /m.test(said), `the socket is there: ${said}`);
  });
  after(async () => {
    server?.kill('SIGTERM');
    await server?.ended;
    if (world) await closeWorld(world);
  });

  const messages = () => (fs.existsSync(`${world.socket}.messages`) ? read(`${world.socket}.messages`) : '');
  // { stdout, stderr, status } of one connection from this address.
  async function connect(address, { as } = {}) {
    const seen = messages().length;
    const words = [client, address, world.socket];
    const { code, stdout, stderr } = as ? await run('setpriv', [`--reuid=${as}`, '--clear-groups', ...words], { env: process.env })
      : await run(words[0], words.slice(1), { env: process.env });
    assert.equal(code, 0, stderr);
    await until(() => /^status \d+\n/m.test(messages().slice(seen)), 'the service ends');
    const [, text, status] = /^([^]*)status (\d+)\n$/.exec(messages().slice(seen));
    return { stdout, stderr: text, status: Number(status) };
  }
  const of = (unit, account = name) => `adf9d86b6eda275e/unit/${unit}/${account}`;

  test('an allowed unit gets the bare token, without a newline', async (t) => {
    if (why) return t.skip(why);
    assert.deepEqual(await connect(of(UNIT)), { stdout: KEY, stderr: '', status: 0 });
    assert.deepEqual(await connect(of('job@nightly.service')), { stdout: KEY, stderr: '', status: 0 });
    assert.deepEqual(await connect(of('job@a\\x2db.c.service')), { stdout: KEY, stderr: '', status: 0 });
    return undefined;
  });

  test('refusals answer nothing, and say why in the journal', async (t) => {
    if (why) return t.skip(why);
    const cases = [
      [of('other.service'), 6, new RegExp(`^ringbearer: ${name}: the unit other.service may not have a token; add .allow_unit = other.service. to the account if it should\n$`)],
      [of('job.service'), 6, /the unit job.service may not/],
      [of(UNIT, 'nobody'), 1, /^ringbearer: nobody: there is no account `nobody`/],
      [of(UNIT, '..'), 2, /is no name of an account/],
      [`zz/unit/${UNIT}/${name}`, 2, /no service manager has connected/],
      ['', 2, /no service manager has connected/],
    ];
    for (const [address, status, message] of cases) {
      const result = await connect(address);
      assert.deepEqual([result.stdout, result.status], ['', status], `${address}: ${result.stderr}`);
      assert.match(result.stderr, message);
    }
    return undefined;
  });

  test('an account without allow_unit answers no unit', async (t) => {
    if (why) return t.skip(why);
    const lines = read(accountFile(world, name)).split('\n').filter((line) => !line.startsWith('allow_unit'));
    const other = unique('closed');
    fs.writeFileSync(accountFile(world, other), lines.join('\n'), { mode: 0o600 });
    const { stdout, status } = await connect(of(UNIT, other));
    assert.deepEqual([stdout, status], ['', 6]);
    return undefined;
  });

  test('another user is turned away, whatever unit it names', async (t) => {
    if (why) return t.skip(why);
    if (process.getuid() !== 0) return t.skip('only root can become somebody else');
    for (const file of [world.dir, world.socket]) fs.chmodSync(file, file === world.socket ? 0o666 : 0o711);
    fs.chmodSync(client, 0o755);
    const { stdout, stderr, status } = await connect(of(UNIT), { as: 65534 });
    fs.chmodSync(world.dir, 0o700);
    assert.deepEqual([stdout, status], ['', 6]);
    assert.match(stderr, /user 65534 has connected; only root and user 0 may/);
    return undefined;
  });

  test('without a socket it says who runs it', async (t) => {
    if (why) return t.skip(why);
    const { code, stdout, stderr } = await world.exec('sh', ['-c', 'exec "$0" systemd </dev/null', world.program]);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /systemd runs this/);
    return undefined;
  });
});

describe('the units', () => {
  for (const kind of ['system', 'user']) {
    test(`systemd-analyze finds nothing wrong with those of ${kind} managers`, async (t) => {
      if (unbuilt) return t.skip(unbuilt);
      if (!await has('systemd-analyze')) return t.skip('systemd-analyze is missing');
      const folder = fs.mkdtempSync(path.join(process.env.TMPDIR ?? '/tmp', 'rbu-'));
      try {
        const files = { 'ringbearer.socket': socketUnit(kind), 'ringbearer@.service': serviceUnit(kind), 'ringbearer@1.service': serviceUnit(kind) };
        for (const [file, text] of Object.entries(files)) fs.writeFileSync(path.join(folder, file), text);
        const verify = () => run('systemd-analyze', [`--${kind}`, 'verify', '--man=no', `${folder}/ringbearer.socket`, `${folder}/ringbearer@1.service`],
          { env: { ...process.env, HOME: folder, XDG_RUNTIME_DIR: folder, SYSTEMD_LOG_LEVEL: 'warning' } });
        const { code, stderr } = await verify();
        assert.deepEqual([code, stderr], [0, '']);
        fs.appendFileSync(path.join(folder, 'ringbearer@1.service'), 'NoSuchKey=yes\n');
        assert.match((await verify()).stderr, /NoSuchKey/, 'it does look at the file');
      } finally {
        fs.rmSync(folder, { recursive: true });
      }
      return undefined;
    });
  }
});

describe('a user manager', () => {
  const name = unique('loaded');
  let world;
  let manager;
  let why;

  before(async () => {
    why = unbuilt ?? (isInstrumented() ? 'an instrumented build does more than the units allow' : undefined);
    if (why) return;
    world = await World.create();
    await addGeneric(world, name, { allow_unit: [UNIT] });
    const out = path.join(world.dir, 'out');
    const backup = block('systemd').replaceAll('acme', name);
    assert.match(backup, new RegExp(`^LoadCredential=${name}:`, 'm'));
    const unit = backup.replace(/^ExecStart=.* --token-file=(\S+)$/m, `ExecStart=/bin/cp $1 ${out}`);
    assert.notEqual(unit, backup);
    const logged = `[Service]\nStandardError=append:${world.dir}/journal\nPassEnvironment=RINGBEARER_WORLD RINGBEARER_MODULE_DIR RINGBEARER_PROVIDER_DIR XDG_CONFIG_HOME DBUS_SESSION_BUS_ADDRESS\n`;
    const started = await startUserManager(world, {
      'ringbearer.socket': socketUnit('user'), 'ringbearer@.service': serviceUnit('user'), 'ringbearer@.service.d/test.conf': logged,
      [UNIT]: unit, 'other.service': unit, 'guarded.service': `${unit}ExecCondition=test -s %d/${name}\n`,
      // The system's pair, as far as it goes here: root's manager can build the sandbox, but has only one user, and
      // containers do not let go of these two.
      'strict.socket': socketUnit('system').replace(/^ListenStream=.*/m, 'ListenStream=%t/strict.sock'),
      'strict@.service': serviceUnit('system'), 'strict@.service.d/test.conf': `${logged}User=\nProtectKernelLogs=no\nProtectKernelTunables=no\n`,
      'nightly@.service': unit.replace('ringbearer/credentials.sock', 'strict.sock'),
      'env.service': `[Service]\nType=oneshot\nEnvironmentFile=${world.dir}/environment\nExecStart=/bin/sh -c 'printf "%%s" "$RINGBEARER_TOKEN" >${world.dir}/token'\n`,
    });
    ({ manager, reason: why } = started);
    if (manager) assert.equal((await manager.systemctl('start', 'ringbearer.socket')).code, 0, manager.said());
  });
  after(async () => {
    await manager?.stop();
    if (world) await closeWorld(world);
  });

  const journal = () => (fs.existsSync(`${world.dir}/journal`) ? read(world.dir, 'journal') : '');

  test('loads the token of a unit that is allowed', async (t) => {
    if (why) return t.skip(why);
    const { code, stderr } = await manager.systemctl('start', UNIT);
    assert.equal(code, 0, stderr + manager.said() + journal());
    const token = read(world.dir, 'out');
    assert.equal((await world.api('/rest/v2/segments', token)).status, 200, journal());
    return undefined;
  });

  test('and an empty credential for one that is not', async (t) => {
    if (why) return t.skip(why);
    fs.rmSync(path.join(world.dir, 'out'), { force: true });
    await manager.systemctl('start', 'other.service');
    await until(() => /the unit other.service may not have a token/.test(journal()), 'the journal says why');
    assert.equal(read(world.dir, 'out'), '');
    fs.rmSync(path.join(world.dir, 'out'));
    await manager.systemctl('start', 'guarded.service');
    assert.ok(!fs.existsSync(path.join(world.dir, 'out')), 'ExecCondition= can tell');
    edit(world, name, 'allow_unit', 'other.service');
    assert.equal((await manager.systemctl('start', 'other.service')).code, 0);
    assert.ok(read(world.dir, 'out').length > 0);
    return undefined;
  });

  test('the sandbox of the system\'s unit leaves it what it needs to renew', async (t) => {
    if (why) return t.skip(why);
    if (process.getuid() !== 0) return t.skip('only root\'s manager can build it');
    edit(world, name, 'allow_unit', 'nightly@.service'); // which also forgets the token that is cached
    const asked = await world.control.count('client_credentials');
    assert.equal((await manager.systemctl('start', 'strict.socket')).code, 0, manager.said());
    const { code, stderr } = await manager.systemctl('start', 'nightly@one.service');
    assert.equal(code, 0, stderr + manager.said());
    const token = read(world.dir, 'out');
    assert.equal((await world.api('/rest/v2/segments', token)).status, 200, journal() + (await manager.systemctl('list-units', '--all', 'strict@*')).stdout);
    assert.equal(await world.control.count('client_credentials'), asked + 1);
    return undefined;
  });

  test('reads the form env back to the byte', async (t) => {
    if (why) return t.skip(why);
    const other = await addKey(world, unique('hostile'), {}, HOSTILE);
    fs.writeFileSync(path.join(world.dir, 'environment'), (await world.must(['get', `--account=${other}`, '--format=env'])).stdout);
    const { code, stderr } = await manager.systemctl('start', 'env.service');
    assert.equal(code, 0, stderr + manager.said());
    assert.equal(read(world.dir, 'token'), HOSTILE);
    return undefined;
  });
});
