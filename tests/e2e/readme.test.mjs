// SPDX-License-Identifier: MIT
//
// What the README tells people to type, typed: its first blocks here, each caller's in the file of that
// caller. The tests' servers and secrets stand in for the services', and nothing else is changed.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { DASHBOARD, MACHINE, API_KEY } from '../servers/fixtures.mjs';
import { closeWorld } from './lib/accounts.mjs';
import { BUILD, SOURCE, compile } from './lib/builds.mjs';
import { canUnshare, inNamespace, isRoot } from './lib/confined.mjs';
import { run } from './lib/processes.mjs';
import { block, blocks } from './lib/readme.mjs';
import { unique } from './lib/small-accounts.mjs';
import { shellOnTerminal } from './lib/terminal.mjs';
import { World } from './lib/world.mjs';

const NAMES = { acme: unique('readme-acme'), sonde: unique('readme-sonde'), dash: unique('readme-dash') };
const PROMPT = /shown\): $/;
let world;
let port;

before(async () => {
  world = await World.create();
  port = await World.freePort();
  await world.control.app({ client_id: DASHBOARD.client_id, redirect_uris: [`http://127.0.0.1:${port}/callback`] });
});
after(() => closeWorld(world));

// The lines of a block as they are typed here.
function linesOf(name, { client_id } = {}) {
  let text = block(name).replaceAll('\\\n', ' ')
    .replaceAll('https://acme.blueconic.net', world.urls.a)
    .replaceAll('--tenant=acme', `--tenant=${world.host('a')} --ca-file=${world.caFile}`)
    .replaceAll('--tenant=example', `--tenant=${world.host('a').replace('127.0.0.1', 'localhost')} --issuer=${world.urls.a} --ca-file=${world.caFile}`)
    .replaceAll('https://api.example.com/', `${world.urls.b}/v1/`)
    .replaceAll('YOUR_CLIENT_ID', client_id)
    .replaceAll(':8765', `:${port}`)
    .replaceAll('curl -H', `curl -sS --cacert ${world.caFile} -H`);
  for (const [name, unused] of Object.entries(NAMES)) text = text.replaceAll(new RegExp(`(?<![\\w.-])${name}(?=[\\s,]|$)`, 'gm'), unused);
  return text.trim().split('\n');
}

const sh = (line, options) => world.exec('sh', ['-c', line], { timeout: 20000, ...options });

async function types(line, answers) {
  const { code, output } = await shellOnTerminal(world, line, answers);
  assert.equal(code, 0, `${line}\n${output}`);
  return output;
}

describe('as the README says', { concurrency: false }, () => {
  test('set up an account', async () => {
    const [add] = linesOf('ask');
    const file = Object.fromEntries(block('file').trim().split('\n').map((line) => line.split('=')));
    await types(`${add} --ca-file=${world.caFile}`, [
      [/Which service\?.*: $/, `${file.provider}\n`],
      [/Your tenant.*: $/, `${world.host('a')}\n`],
      [/How are tokens obtained\?.*: $/, `${file.grant}\n`],
      [/Client id.*: $/, `${MACHINE.client_id}\n`],
      [/rest\?.*: $/, '\n'],
      [PROMPT, `${MACHINE.client_secret}\n`],
    ]);
    const written = fs.readFileSync(path.join(world.env.XDG_CONFIG_HOME, 'ringbearer/accounts', NAMES.acme), 'utf8');
    assert.equal(written.replace(world.host('a'), 'acme').replace(MACHINE.client_id, 'YOUR_CLIENT_ID').replace(/^ca_file=.*\n/gm, ''), block('file'));
  });

  test('with options, and a login', async () => {
    const [sonde, dash, login] = linesOf('accounts', DASHBOARD);
    await types(`${sonde} --ca-file=${world.caFile}`, [[PROMPT, `${API_KEY}\n`]]);
    await types(dash, [[PROMPT, `${DASHBOARD.client_secret}\n`]]);
    const { code, stdout, stderr } = await sh(login, { env: world.browser().env });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /logged in/);
    assert.doesNotMatch((await sh('ringbearer doctor')).stdout, /both answer for/);
  });

  test('use the token', async () => {
    const [header, token] = linesOf('use').map((line) => line.replace('--account=acme', `--account=${NAMES.acme}`));
    assert.match(await types(header), /"segments":/);
    assert.match(await types(token), /^[\x21-\x7e]+\n$/);
  });

  test('by the place that it is for', async () => {
    const [line] = linesOf('protocol');
    assert.match(await types(line), new RegExp(`^password=${API_KEY}$`, 'm'));
  });

  test('see how things stand, and mend them', async () => {
    const [list, show, secret, refresh, logout, remove] = linesOf('mend');
    assert.match((await sh(list)).stdout, new RegExp(`^${NAMES.acme} .*valid`, 'm'));
    assert.match((await sh(show)).stdout, /token_endpoint = /);
    await types(secret, [[PROMPT, `${MACHINE.client_secret}\n`]]);
    assert.match((await sh(refresh)).stdout, /renewed/);
    assert.match((await sh(logout)).stdout, /logged out/);
    assert.match((await sh(remove)).stdout, /removed/);
  });
});

// No bus, no /run/user, no keys in the kernel. What of a service manager and a container cannot be had here is played: the
// unit is checked by systemd-analyze, its command gets the folder of credentials that systemd would have made from what
// systemd-creds encrypted, and the container's walls are a mount namespace and a seccomp filter.
describe('on a server, in a container', { concurrency: false }, () => {
  const name = unique('readme-nightly');
  let bare;
  let confined; // runs a command where keyctl(2) is refused
  before(async () => {
    bare = await World.create({ keyring: 'nobus', env: { DBUS_SESSION_BUS_ADDRESS: undefined } });
    const launcher = path.join(bare.dir, 'bin/launcher');
    await compile('-O', '-D_GNU_SOURCE', '-o', launcher, path.join(SOURCE, 'tests/e2e/lib/launcher.c'));
    confined = [launcher, 'deny', '1'];
  });
  after(() => closeWorld(bare));

  const local = (text) => text.replaceAll('https://acme.blueconic.net', bare.urls.a).replaceAll('curl ', `curl --cacert ${bare.caFile} `)
    .replaceAll('tenant = acme', `tenant = ${bare.host('a')}\nca_file = ${bare.caFile}`)
    .replaceAll('YOUR_CLIENT_ID', MACHINE.client_id).replaceAll(/\bnightly\b/g, name);
  const requests = () => bare.control.count('client_credentials');
  // In a namespace of its own after SCRIPT.
  const inside = (script, ...words) => {
    const [file, ...rest] = inNamespace(`[ ! -d /run/user ] || mount -t tmpfs tmpfs /run/user\n${script}\nexec "$@"`, ...words);
    return bare.exec(file, rest, { input: MACHINE.client_secret, timeout: 20000 });
  };
  const obstacle = async () => (isRoot && await canUnshare() ? undefined : 'only root gets its own files in a namespace');

  test('a container', async (t) => {
    const why = await obstacle();
    if (why) return t.skip(why);
    bare.account(name, local(block('container')));
    const before = await requests();
    // Each a container of its own, one /dev/shm for both.
    for (let i = 0; i < 2; i += 1) {
      const secret = `mount -t tmpfs tmpfs /run; mkdir /run/secrets; cat >/run/secrets/${name}.client_secret`;
      const { code, stdout, stderr } = await inside(secret, ...confined, bare.program, 'token', name);
      assert.deepEqual([code, stderr], [0, '']);
      assert.equal((await bare.api('/rest/v2/segments', stdout.trim())).status, 200);
    }
    assert.equal(await requests() - before, 1);
    await bare.request({ account: name }, { verb: 'erase' });
    await bare.exec(confined[0], [...confined.slice(1), bare.program, 'erase'], { input: `account=${name}\n\n` });
    return undefined;
  });

  test('a service', async (t) => {
    const why = await obstacle() ?? (await run('systemd-creds', ['--version'], { env: process.env }).then(() => undefined, () => 'systemd-creds is missing'));
    if (why) return t.skip(why);
    const text = local(block('service'));
    const unit = path.join(bare.dir, `${name}.service`);
    fs.writeFileSync(unit, text);
    const verified = await bare.exec('systemd-analyze', ['verify', '--man=no', unit]);
    assert.doesNotMatch(verified.stderr, new RegExp(name), 'systemd has nothing to say about the unit');
    bare.account(name, local(block('container')).replace(/^store_folder.*\n/m, ''));
    const [, encrypt, sealed] = /^# (systemd-creds encrypt .* (\S+))$/m.exec(text);
    const [, id, from] = /^LoadCredentialEncrypted=(\S+):(\S+)$/m.exec(text);
    assert.equal(from, sealed);
    const [, command] = /^ExecStart=sh -c '(.*)'$/m.exec(text);
    const mine = path.join(bare.dir, 'sealed');
    const script = `mount --bind ${fs.mkdtempSync(path.join(bare.dir, 'host-key-'))} /var/lib/systemd
      ${encrypt.replace(sealed, mine)} 2>${mine}.said || exit 77
      mount -t tmpfs tmpfs /mnt
      systemd-creds decrypt --name=${id} ${mine} /mnt/${id} 2>/dev/null
      export CREDENTIALS_DIRECTORY=/mnt`;
    const { code, stdout, stderr } = await inside(script, 'sh', '-c', command);
    if (code === 77) return t.skip(fs.readFileSync(`${mine}.said`, 'utf8').trim()); // no TPM, and a temporary file system
    assert.equal(code, 0, stderr);
    assert.match(stdout, /"segments":/);
    assert.equal(fs.readFileSync(mine, 'latin1').includes(MACHINE.client_secret), false);
    return undefined;
  });

  test('a user', { skip: !fs.existsSync(path.join(BUILD, 'helper/modules/.libs/store-file.so')) && 'this build has no libsodium' }, async () => {
    const lines = local(block('headless')).replaceAll(/\bacme\b/g, NAMES.acme).trim().split('\n');
    const [init, add, token] = lines.map((line) => line.replace(`--tenant=${NAMES.acme}`, `--tenant=${bare.host('a')} --ca-file=${bare.caFile}`));
    const typed = async (line, answers = []) => {
      const { code, output } = await shellOnTerminal(bare, line, answers);
      assert.equal(code, 0, `${line}\n${output}`);
    };
    await typed(init);
    await typed(add, [[PROMPT, `${MACHINE.client_secret}\n`]]);
    const { code, output } = await shellOnTerminal(bare, token);
    assert.equal(code, 0, output);
    assert.equal((await bare.api('/rest/v2/segments', output.trim())).status, 200);
  });
});

// What these run is not here: programs of these names write down what they were told, and the package builders leave what theirs
// leave. The files for the distributions are made as they are.
describe('to install', () => {
  const BUILDERS = {
    deb: 'touch packages/deb/ringbearer_0-1_amd64.deb packages/deb/ringbearer-secret-service_0-1_amd64.deb packages/deb/ringbearer-dbgsym_0-1_amd64.deb',
    rpm: 'mkdir -p packages/rpm/rpm/RPMS/x86_64 && cd packages/rpm/rpm/RPMS/x86_64 && touch ringbearer-0-1.x86_64.rpm ringbearer-secret-service-0-1.x86_64.rpm ringbearer-devel-0-1.x86_64.rpm',
    arch: 'mkdir -p packages/arch/arch && touch packages/arch/arch/ringbearer-0-1-x86_64.pkg.tar.zst packages/arch/arch/ringbearer-debug-0-1-x86_64.pkg.tar.zst',
    'package-files': '"$SOURCE/packaging/make-packages" ringbearer-0.tar.xz packages/files',
  };
  const facts = Object.fromEntries([...fs.readFileSync(path.join(SOURCE, 'packaging/facts'), 'utf8').matchAll(/^(\w+)='?([^'#\n]*)'?/gm)].map(([, name, value]) => [name, value.trim()]));

  const folders = [];
  after(() => folders.forEach((folder) => fs.rmSync(folder, { recursive: true })));
  const installs = (name) => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'readme-'));
    folders.push(folder);
    const at = (...names) => path.join(folder, ...names);
    fs.mkdirSync(at('bin'));
    fs.mkdirSync(at('packages/deb'), { recursive: true });
    fs.mkdirSync(at('Formula'));
    fs.writeFileSync(at('ringbearer-0.tar.xz'), '');
    const program = (file, text) => fs.writeFileSync(file, `#!/bin/sh\necho "$(basename "$0") $*" >>'${at('said')}'\n${text}\n`, { mode: 0o755 });
    for (const file of ['autogen.sh', 'configure']) program(at(file), '');
    for (const file of ['apt', 'dnf', 'pacman', 'apk', 'abuild', 'abuild-keygen', 'nix']) program(at('bin', file), '');
    program(at('bin/sudo'), 'exec "$@"');
    program(at('bin/nix-shell'), 'while [ "$1" != --run ]; do shift; done; exec sh -c "$2"');
    program(at('bin/brew'), `case $1 in --repository) echo '${folder}' ;; --prefix) echo /opt ;; esac`);
    program(at('bin/make'), `case $1 in ${Object.entries(BUILDERS).map(([goal, does]) => `${goal}) ${does} ;;`).join(' ')} esac`);
    const { status, stderr } = spawnSync('sh', ['-eu', '-c', block(name)], { cwd: folder, encoding: 'utf8', env: { ...process.env, SOURCE, PATH: `${at('bin')}:${process.env.PATH}` } });
    assert.equal(status, 0, `${name}: ${stderr}`);
    const said = fs.readFileSync(at('said'), 'utf8').trim().split('\n');
    return { said, last: said.at(-1), read: (...names) => fs.readFileSync(at(...names), 'utf8'), folder };
  };
  const names = (lines, program, list) => {
    const line = ` ${lines.find((line) => line.startsWith(`${program} `))} `;
    for (const word of list.split(' ')) assert.ok(line.includes(` ${word} `), `${word} is not in:${line}`);
  };

  test('from source', () => assert.equal(installs('install-source').last, 'make install'));

  test('on Debian', () => assert.match(installs('install-debian').last, /^apt install \S*\/ringbearer_0-1_amd64.deb \S*\/ringbearer-secret-service_0-1_amd64.deb$/));

  test('with an rpm', () => {
    const { said, last } = installs('install-rpm');
    names(said.map((line) => line.replaceAll(/pkgconfig\((\S+)\)/g, '$1')), 'dnf', `${facts.MODULES} cmocka`);
    assert.match(last, /^dnf install \S*\/ringbearer-0-1.x86_64.rpm \S*\/ringbearer-secret-service-0-1.x86_64.rpm$/);
  });

  test('on Arch', () => {
    const { said, last } = installs('install-arch');
    names(said, 'pacman', `${facts.DEPENDS_ARCH} libsecret cmocka`);
    assert.match(last, /^pacman -U \S*\/ringbearer-0-1-x86_64.pkg.tar.zst$/);
  });

  test('on Alpine', () => {
    const { said, read } = installs('install-alpine');
    names(said, 'apk', `${facts.BUILD_ALPINE} cmocka-dev`);
    const packages = said.at(-1).split(' ').slice(-2);
    for (const name of packages) assert.ok(name === 'ringbearer' || read('packages/files/APKBUILD').includes(name.replace('ringbearer', '$pkgname')), name);
    read('packages/files/ringbearer-0.tar.xz');
  });

  test('with Nix', () => {
    const { said, read } = installs('install-nix');
    names(said, 'nix-shell', facts.BUILD_NIX);
    assert.equal(said.at(-1), 'nix profile install path:./packages/files');
    assert.match(read('packages/files/flake.nix'), /src = \.\/ringbearer-0\.tar\.xz;/);
    read('packages/files/ringbearer-0.tar.xz');
  });

  test('with Homebrew', () => {
    const { said, read, folder } = installs('install-brew');
    names(said, 'brew', facts.BUILD_BREW);
    assert.ok(read('Formula/ringbearer.rb').includes(`  url "file://${fs.realpathSync(folder)}/ringbearer-0.tar.xz"\n`));
  });
});

// `make demo` and `make check` are what runs this.
test('every block of the README is run by a test', () => {
  const { marked, unmarked } = blocks();
  assert.deepEqual(unmarked, [], 'blocks without a name');
  const tests = fs.readdirSync(new URL('.', import.meta.url)).filter((name) => name.endsWith('.test.mjs'))
    .map((name) => fs.readFileSync(new URL(name, import.meta.url), 'utf8')).join('\n');
  const unused = marked.filter((name) => name !== 'build' && ![`block('${name}'`, `linesOf('${name}'`, `installs('${name}'`].some((use) => tests.includes(use)));
  assert.deepEqual(unused, []);
});
