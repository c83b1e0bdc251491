// SPDX-License-Identifier: MIT
//
// A world of its own for the end-to-end tests of one file: temporary HOME and XDG directories, a
// private session with a real keyring, the authorization servers, and the program under test.
// Nothing of the user's is in reach: the environment is built from a list, not inherited.
//
//     const world = await World.create({ keyring: 'unlocked' });
//     await world.addClientCredentials('nightly');
//     const { code, answer } = await world.request({ account: 'nightly' });
//     await world.close();
//
// The program is $RINGBEARER_BUILD/helper/ringbearer (default: this checkout), its modules and
// provider files lie beside it unless RINGBEARER_MODULE_DIR and RINGBEARER_PROVIDER_DIR say otherwise.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as fixtures from '../../servers/fixtures.mjs';
import { Browser } from './browser.mjs';
import { request } from './http.mjs';
import { readMessage, writeAccount, writeMessage } from './message.mjs';
import { processesWith, run } from './processes.mjs';
import { startKeyring, startServers } from './services.mjs';

const ROOT = path.resolve(fileURLToPath(new URL('../../../', import.meta.url)));
const BUILD = path.resolve(process.env.RINGBEARER_BUILD ?? ROOT);
const SOURCE = path.resolve(process.env.RINGBEARER_SOURCE ?? ROOT);
const PASSED_ON = ['PATH', 'ASAN_OPTIONS', 'LSAN_OPTIONS', 'UBSAN_OPTIONS', 'LLVM_PROFILE_FILE', 'GCOV_PREFIX'];
const SOCKET_PATH_LIMIT = 107; // sockaddr_un
const LONGEST_SOCKET = '/run/keyring/control';
const LINKS = ['ringbearer', ...['bazel-credential', 'cargo-credential', 'docker-credential', 'git-credential', 'terraform-credentials'].map((name) => `${name}-ringbearer`), 'docker-credential-ringbearer-interactive'];

function makeDirectory() {
  const short = os.tmpdir().length + '/rbw-XXXXXX'.length + LONGEST_SOCKET.length < SOCKET_PATH_LIMIT;
  return fs.mkdtempSync(path.join(short ? os.tmpdir() : '/tmp', 'rbw-'));
}

function userName() {
  try {
    return os.userInfo().username;
  } catch {
    return String(process.getuid()); // one without a name
  }
}

function baseEnvironment(directory) {
  const passed = Object.fromEntries(PASSED_ON.filter((name) => process.env[name] !== undefined)
    .map((name) => [name, process.env[name]]));
  return {
    ...passed,
    PATH: `${directory}/bin:${process.env.PATH}`,
    LANG: 'C.UTF-8', TZ: 'UTC', TERM: 'dumb', USER: userName(),
    RINGBEARER_WORLD: directory,
    RINGBEARER_MODULE_DIR: process.env.RINGBEARER_MODULE_DIR ?? path.join(BUILD, 'helper/modules/.libs'),
    RINGBEARER_PROVIDER_DIR: process.env.RINGBEARER_PROVIDER_DIR ?? path.join(SOURCE, 'helper/providers'),
  };
}

export class World {
  #closers = [];
  #browsers = 0;

  // keyring: see keyring-session.sh -m; serverEnv: see authorization-server.mjs; activation: let
  // the private bus start services, as a desktop's does.
  static async create({ keyring = 'unlocked', servers = true, serverEnv = {}, activation = false, env = {} } = {}) {
    const world = new World();
    world.dir = makeDirectory();
    world.program = path.join(BUILD, 'helper/ringbearer');
    const base = baseEnvironment(world.dir);
    fs.mkdirSync(`${world.dir}/bin`);
    for (const name of LINKS) fs.symlinkSync(world.program, `${world.dir}/bin/${name}`);
    try {
      const [session, server] = await Promise.all([
        world.#opened(startKeyring(world.dir, keyring, { env: base, activation })),
        servers ? world.#opened(startServers(world.dir, { ...base, ...serverEnv })) : undefined,
      ]);
      world.keyring = session;
      world.env = { ...base, ...session.env, ...env };
      Object.assign(world, { servers: server, urls: server?.urls, ca: server?.ca, caFile: server?.caFile, control: server?.control });
    } catch (error) {
      await world.close();
      throw error;
    }
    return world;
  }

  async #opened(starting) {
    const service = await starting;
    this.#closers.push(service.stop);
    return service;
  }

  // Ends everything this world started, detached children of the program included
  // (session-keeper.sh sees to those).
  async close() {
    await Promise.allSettled(this.#closers.map((stop) => stop()));
    fs.rmSync(this.dir, { recursive: true, force: true, maxRetries: 5 });
  }

  // Ids of all that runs in this world, services included.
  processes() { return processesWith('RINGBEARER_WORLD', this.dir); }

  // ---- running programs

  exec(file, args = [], { env, ...options } = {}) {
    return run(file, args, { cwd: this.env.HOME, ...options, env: { ...this.env, ...env } });
  }

  run(args, options) { return this.exec(this.program, args, options); }

  // As run(), and fails the test unless the program succeeds.
  async must(args, options) {
    const result = await this.run(args, options);
    assert.equal(result.code, 0, `ringbearer ${args.join(' ')}: exit ${result.code ?? result.signal}\n${result.stderr}`);
    return result;
  }

  // `ringbearer get` with these keys on stdin; the result has `answer`, stdout as an object.
  async request(keys, { verb = 'get', ...options } = {}) {
    const result = await this.run([verb], { ...options, input: writeMessage(keys) });
    return { ...result, answer: readMessage(result.stdout) };
  }

  // ---- accounts

  // Writes an account file and returns its path; the file's text may be given instead of keys.
  account(name, keys) {
    const directory = path.join(this.env.XDG_CONFIG_HOME, 'ringbearer', 'accounts');
    fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
    const file = path.join(directory, name);
    fs.writeFileSync(file, typeof keys === 'string' ? keys : writeAccount(keys), { mode: 0o600 });
    return file;
  }

  // `ringbearer add` with every key as an option; the secret goes in over stdin.
  add(name, keys, secret, options) {
    const flags = Object.entries(keys).flatMap(([key, value]) => [value].flat()
      .map((one) => `--${key.replaceAll('_', '-')}=${one}`));
    const fromStdin = secret === undefined ? [] : ['--secret-stdin'];
    return this.must(['add', name, ...flags, ...fromStdin], { ...options, input: secret ?? '' });
  }

  // Host and port of a listener, as a value for `tenant`.
  host(listener = 'a') { return new URL(this.urls[listener]).host; }

  addClientCredentials(name, extra = {}) {
    const { client_id, client_secret } = fixtures.MACHINE;
    const keys = { provider: 'blueconic', tenant: this.host('a'), grant: 'client_credentials', client_id, ca_file: this.caFile };
    return this.add(name, { ...keys, ...extra }, client_secret);
  }

  addApiKey(name, extra = {}, key = fixtures.API_KEY) {
    const keys = { provider: 'bluesonde', grant: 'api_key', match: `${this.urls.b}/v1/`, ca_file: this.caFile };
    return this.add(name, { ...keys, ...extra }, key);
  }

  // Tenant a compares redirect URIs to the last digit: registers one on a free port.
  async addAuthorizationCode(name, extra = {}) {
    const { client_id, client_secret } = fixtures.DASHBOARD;
    const redirect_uri = `http://127.0.0.1:${await World.freePort()}/callback`;
    await this.control.app({ client_id, redirect_uris: [redirect_uri] });
    const keys = { provider: 'blueconic', tenant: this.host('a'), grant: 'authorization_code', client_id, redirect_uri, ca_file: this.caFile };
    return this.add(name, { ...keys, ...extra }, client_secret);
  }

  // `ringbearer login` with a person at the browser; see browser().
  login(name, person = {}, options = {}) {
    return this.run(['login', name], { ...options, env: { ...this.browser(person).env, ...options.env } });
  }

  // ---- people and servers

  // A program for $BROWSER: { program, env, visits() }. Options: see open-url.mjs.
  browser(options = {}) {
    this.#browsers += 1;
    const program = path.join(this.dir, 'bin', `browser-${this.#browsers}`);
    const log = `${program}.log`;
    const words = [process.execPath, fileURLToPath(new URL('open-url.mjs', import.meta.url)), JSON.stringify({ ca: this.caFile, log, ...options })];
    const quoted = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
    fs.writeFileSync(program, `#!/bin/sh\nexec ${quoted} "$1"\n`, { mode: 0o700 });
    const visits = () => (fs.existsSync(log) ? fs.readFileSync(log, 'utf8').split('\n').slice(0, -1).map((line) => JSON.parse(line)) : []); // whole lines
    return { program, env: { BROWSER: program }, visits };
  }

  // A person goes to this address: { location } of the final redirect, not followed, or { page }.
  visit(url, person = {}) { return new Browser({ ca: this.ca, ...person }).visit(url); }

  // An HTTP request that trusts the test authority.
  fetch(url, options = {}) { return request(url, { ca: this.ca, ...options }); }

  // The protected resource at a path of tenant a (/rest/…) or b (/v1/…), or at a URL.
  api(where, token, options = {}) {
    const tenant = where.startsWith('/v1/') ? 'b' : 'a';
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return this.fetch(new URL(where, this.urls[tenant]), { ...options, headers });
  }

  static freePort() {
    return new Promise((resolve, reject) => {
      const server = net.createServer().once('error', reject);
      server.listen(0, '127.0.0.1', () => {
        const { port } = server.address();
        server.close(() => resolve(port));
      });
    });
  }
}
