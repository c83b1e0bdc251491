// SPDX-License-Identifier: MIT
//
// The places that the program finds itself in: root or not, without a kernel keyring or with a full one,
// closed descriptors, odd environments, folders that somebody else has prepared.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { accountFile, closeWorld } from './lib/accounts.mjs';
import { BUILD, SOURCE, WHOLE, compile, isInstrumented } from './lib/builds.mjs';
import { canUnshare, inNamespace, isRoot, withReadOnly } from './lib/confined.mjs';
import { run } from './lib/processes.mjs';
import { KEY, PLACE, addKey, ask, askAfresh, assertRefused, keyAccount, unique } from './lib/small-accounts.mjs';
import { wholeFlow } from './lib/whole-flow.mjs';
import { World } from './lib/world.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const FLOW_TIMEOUT = 180000;
let tools; // a folder that every user can look into
let launcher;

const userNamed = (name) => fs.readFileSync('/etc/passwd', 'utf8').split('\n').map((line) => line.split(':'))
  .filter(([login, , uid]) => login === name && uid !== '0').map(([, , uid, gid]) => ({ uid, gid }))[0];

before(async () => {
  tools = fs.mkdtempSync(path.join(os.tmpdir(), 'rbt-'));
  fs.chmodSync(tools, 0o755);
  launcher = path.join(tools, 'launcher');
  await compile('-O', '-Wall', '-Wextra', '-Werror', '-D_GNU_SOURCE', '-o', launcher, path.join(HERE, 'lib/launcher.c'));
});
after(() => fs.rmSync(tools, { recursive: true }));

describe('users and the kernel keyring', () => {
  function judge({ uid, steps }) {
    const good = (minted, token = true) => ({ code: 0, works: token, minted, stderr: '' });
    const full = uid === 0 ? {} : { full: good(0), 'full, nothing cached': good(1), 'full, cached': good(0) };
    // Where the kernel says no, what it has is out of reach: one more token, which is kept in memory for everybody.
    assert.deepEqual(steps, {
      add: good(0, false), get: good(1), cached: good(0), 'by URL': good(0), 'other session': good(0), EPERM: good(1), ENOSYS: good(0),
      'EPERM, by URL': good(0), erase: good(0, false), ...full, 'erase again': good(0, false),
      'from another session': good(1), 'cached there': good(0), refresh: good(1, false), remove: good(0, false),
      gone: { code: 1, works: false, minted: 0, stderr: steps.gone.stderr },
    });
  }

  test(isRoot ? 'as root' : 'as an ordinary user', async () => judge(await wholeFlow(launcher)));

  for (const user of ['nobody', 'games']) {
    test(`as ${user}`, async (t) => {
      const ids = userNamed(user);
      if (!isRoot || !ids) return t.skip(isRoot ? 'there is no such user' : 'only root can become somebody else');
      const words = [`--reuid=${ids.uid}`, `--regid=${ids.gid}`, '--clear-groups', process.execPath, path.join(HERE, 'lib/whole-flow.mjs'), launcher];
      const env = { ...process.env, HOME: '/nonexistent' };
      const { code, stdout, stderr } = await run('setpriv', words, { env, cwd: '/', timeout: FLOW_TIMEOUT });
      assert.equal(code, 0, stderr);
      const result = JSON.parse(stdout);
      assert.equal(result.uid, Number(ids.uid));
      judge(result);
      return undefined;
    });
  }
});

describe('its surroundings', () => {
  let world;
  let counter = 0;
  const fresh = () => { counter += 1; return addKey(world, unique(`place-${counter}`)); };
  const works = (result) => assert.deepEqual([result.code, result.answer.password, result.stderr], [0, KEY, '']);
  before(async () => { world = await World.create({ servers: false }); });
  after(() => closeWorld(world));

  test('a setuid or setgid copy does nothing', async (t) => {
    if (!isRoot) return t.skip('only root can make one');
    if (isInstrumented()) return t.skip('a sanitizer does not start so');
    const name = await fresh();
    for (const mode of [0o4755, 0o2755]) {
      const make = (file) => {
        const copy = path.join(tools, `copy-${path.basename(file)}`);
        fs.copyFileSync(file, copy);
        fs.chownSync(copy, 65534, 65534);
        fs.chmodSync(copy, mode);
        return copy;
      };
      if ((await world.exec(make(launcher), ['secure'])).stdout !== '1\n') return t.skip('setuid does not count in the temporary folder');
      for (const file of [world.program, WHOLE]) {
        for (const args of [['get', `--account=${name}`], ['--version'], ['list']]) {
          const { code, stdout } = await world.exec(make(file), args);
          assert.deepEqual([code, stdout], [7, '']);
        }
      }
    }
    return undefined;
  });

  test('closed descriptors', async () => {
    const name = await fresh();
    const shell = (line) => world.exec('sh', ['-c', line, 'sh', world.program, name], { timeout: 5000 });
    assert.equal((await shell('"$1" token "$2" <&- 2>&-')).stdout, `${KEY}\n`);
    assert.equal((await shell('"$1" token "$2" <&-')).stdout, `${KEY}\n`);
    for (const closed of ['>&-', '<&- >&-', '>&- 2>&-', '<&- >&- 2>&-']) {
      await world.request({ account: name }, { verb: 'erase' });
      assert.notEqual((await shell(`"$1" token "$2" ${closed}`)).code, 0, closed);
    }
    const uid = process.getuid();
    for (const folder of [`/run/user/${uid}/ringbearer`, `/tmp/ringbearer-${uid}`].filter((one) => fs.existsSync(one))) {
      for (const file of fs.readdirSync(folder)) assert.equal(fs.statSync(path.join(folder, file)).size, 0, 'nothing was written into a lock');
    }
    assert.equal(fs.readFileSync(accountFile(world, name), 'utf8').includes(KEY), false);
  });

  test('HOME and XDG_CONFIG_HOME', async () => {
    const name = await fresh();
    works(await askAfresh(world, name, {}, { env: { HOME: undefined, USER: undefined } }));
    const file = path.join(world.env.HOME, '.config/ringbearer/accounts', name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, `provider = oauth2\ngrant = api_key\nusername = from-home\nmatch = ${PLACE}\n`, { mode: 0o600 });
    for (const value of [undefined, '', 'config', './config', '~/config']) {
      const { answer } = await ask(world, { account: name }, { env: { XDG_CONFIG_HOME: value }, cwd: world.dir });
      assert.equal(answer.username, 'from-home', String(value));
    }
    assertRefused(await ask(world, { account: name }, { env: { XDG_CONFIG_HOME: undefined, HOME: 'home' }, cwd: world.dir }), 1, 'no_account');
  });

  test('an empty environment but for the bus', async () => {
    const name = await fresh();
    const needed = ['DBUS_SESSION_BUS_ADDRESS', 'XDG_CONFIG_HOME', 'RINGBEARER_MODULE_DIR', 'RINGBEARER_PROVIDER_DIR'];
    const env = Object.fromEntries(needed.map((variable) => [variable, world.env[variable]]));
    const result = await run(world.program, ['token', name], { env });
    assert.deepEqual([result.stdout, result.stderr], [`${KEY}\n`, '']);
  });

  test('a home that cannot be written', async (t) => {
    if (isRoot && !await canUnshare()) return t.skip('no mount namespaces here');
    const name = await fresh();
    await world.request({ account: name }, { verb: 'erase' });
    for (let i = 0; i < 2; i += 1) {
      const { code, stdout, stderr } = await withReadOnly(world, world.dir, ['token', name]);
      assert.deepEqual([code, stdout, stderr], [0, `${KEY}\n`, '']);
    }
    return undefined;
  });

  test('whatever the umask, files are private', async () => {
    for (const mask of ['000', '777']) {
      const name = unique(`place-umask-${mask}`);
      const home = path.join(world.dir, `config-${mask}`);
      const words = ['add', name, ...Object.entries(keyAccount).map(([key, value]) => `--${key}=${value}`), '--secret-stdin'];
      const shell = ['-c', `umask ${mask}; exec "$@"`, 'sh', world.program, ...words];
      const { code, stderr } = await world.exec('sh', shell, { input: KEY, env: { XDG_CONFIG_HOME: home } });
      assert.equal(code, 0, stderr);
      assert.equal(fs.statSync(path.join(home, 'ringbearer/accounts', name)).mode & 0o777, 0o600);
      assert.equal(fs.statSync(path.join(home, 'ringbearer')).mode & 0o777, 0o700);
    }
  });

  test('locales do not matter', async () => {
    const name = await fresh();
    for (const LC_ALL of ['C', 'POSIX', 'tr_TR.UTF-8', 'nonsense']) {
      works(await askAfresh(world, name, { url: PLACE.replace('api', 'API').replace('https', 'HTTPS') }, { env: { LC_ALL, LANG: LC_ALL } }));
      assertRefused(await ask(world, { account: 'nobody' }, { env: { LC_ALL } }), 1, 'no_account', /there is no account/);
    }
  });

  // In a namespace with a fresh /tmp and no /run/user: $own is the folder of locks.
  const prepared = (spoil, name) => {
    const kept = [world.dir, BUILD, SOURCE, tools, HERE].filter((folder) => folder.startsWith('/tmp/')).map((folder) => folder.split('/')[2]);
    const script = `
      mount -t tmpfs tmpfs /mnt; mkdir /mnt/old; mount --rbind /tmp /mnt/old; mount -t tmpfs -o mode=1777 tmpfs /tmp
      for folder in ${[...new Set(kept)].join(' ')}; do mkdir "/tmp/$folder"; mount --rbind "/mnt/old/$folder" "/tmp/$folder"; done
      [ ! -d /run/user ] || mount -t tmpfs tmpfs /run/user
      own=/tmp/ringbearer-$(id -u)
      ${spoil}
      "$@" && stat -c '%a %F' "$own"`;
    // A copy, for in a namespace of an ordinary user the package's files seem to be nobody's.
    const providers = path.join(world.dir, 'providers');
    fs.cpSync(world.env.RINGBEARER_PROVIDER_DIR, providers, { recursive: true });
    const [file, ...args] = inNamespace(script, world.program, 'token', name);
    return world.exec(file, args, { env: { RINGBEARER_PROVIDER_DIR: providers } });
  };
  const hostile = {
    'a link to a folder of one\'s own': 'mkdir -m 700 /tmp/mine; ln -s /tmp/mine "$own"',
    'a link to nowhere': 'ln -s /tmp/nowhere "$own"',
    'a folder that others can read': 'mkdir -m 755 "$own"',
    'a folder that others can write': 'mkdir -m 777 "$own"; chmod 777 "$own"',
    'a file': ': >"$own"',
    'somebody else\'s folder': 'mkdir -m 700 "$own"; chown 65534:65534 "$own"',
    'somebody else\'s link': 'mkdir -m 700 /tmp/mine; ln -s /tmp/mine "$own"; chown -h 65534:65534 "$own"',
  };
  for (const [what, spoil] of Object.entries(hostile)) {
    test(`the folder of locks is prepared: ${what}`, async (t) => {
      if (!await canUnshare()) return t.skip('no mount namespaces here');
      if (!isRoot && /somebody/.test(what)) return t.skip('only root can give folders away');
      const name = await fresh();
      await world.request({ account: name }, { verb: 'erase' });
      const { code, stdout, stderr } = await prepared(spoil, name);
      assert.deepEqual([code, stdout.split('\n')[0]], [0, KEY], stderr);
      assert.match(stderr, /^ringbearer: \/tmp\/ringbearer-(\d+) is not yours alone[^\n]*: locks are in \/tmp\/ringbearer-\1\.1; [^\n]+\n$/);
      return undefined;
    });
  }

  test('the folder of locks is made where there is none', async (t) => {
    if (!isRoot || !await canUnshare()) return t.skip('only root keeps the session in a namespace');
    const name = await fresh();
    await world.request({ account: name }, { verb: 'erase' });
    const { stdout, stderr } = await prepared('[ ! -e "$own" ]', name);
    assert.deepEqual([stdout, stderr], [`${KEY}\n700 directory\n`, '']);
    return undefined;
  });
});
