// SPDX-License-Identifier: MIT
//
// Machines that share a login: users with homes, keyrings, caches and lock folders of their own, which nothing connects but the
// store. Only root can be many users.
//
//     const fleet = await Fleet.create(world, etcd.keys, 8);      // with the account NAME, and the key that values are sealed with
//     await fleet.logIn();
//     const { code, answer } = await fleet.machines[3].get();

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { BUILD } from './builds.mjs';
import { grantA } from './flows.mjs';
import { readMessage, writeAccount, writeMessage } from './message.mjs';
import { run } from './processes.mjs';
import { accountKeys } from './standing-grant.mjs';
import { until } from './until.mjs';
import { DASHBOARD } from '../../servers/fixtures.mjs';

export const NAME = 'shared';
const FIRST_USER = 70000 + (process.pid % 10000) * 110;
const FOLDERS = { HOME: '', XDG_CONFIG_HOME: 'config', XDG_STATE_HOME: 'state', XDG_DATA_HOME: 'data', XDG_CACHE_HOME: 'cache' };

// Why there can be no machines here; undefined if there can.
export function obstacle() {
  if (process.getuid() !== 0) return 'only root can be many users';
  try {
    execFileSync('setpriv', [`--reuid=${FIRST_USER}`, `--regid=${FIRST_USER}`, '--clear-groups', path.join(BUILD, 'helper/ringbearer'), '--version'], { stdio: 'pipe', cwd: '/' });
    return undefined;
  } catch (error) {
    return `another user cannot run the program here: ${error.message.split('\n')[0]}`;
  }
}

class Machine {
  constructor(world, index) {
    Object.assign(this, { world, uid: FIRST_USER + index, dir: path.join(world.dir, `machine-${index}`), program: world.program });
    const { DBUS_SESSION_BUS_ADDRESS, XDG_RUNTIME_DIR, ...rest } = world.env; // eslint-disable-line no-unused-vars
    this.env = { ...rest, ...Object.fromEntries(Object.entries(FOLDERS).map(([name, folder]) => [name, path.join(this.dir, folder)])) };
    this.runtime = `/run/user/${this.uid}`;
    this.become = ['setpriv', `--reuid=${this.uid}`, `--regid=${this.uid}`, '--clear-groups'];
    this.launch = [...this.become, world.program];
    for (const folder of Object.values(FOLDERS)) fs.mkdirSync(path.join(this.dir, folder), { recursive: true, mode: 0o700 });
    if (fs.existsSync('/run/user')) fs.mkdirSync(this.runtime, { mode: 0o700 });
    this.own();
  }

  // All that is in its folders is its own.
  own() {
    execFileSync('chown', ['-R', `${this.uid}:${this.uid}`, this.dir, ...(fs.existsSync(this.runtime) ? [this.runtime] : [])]);
  }

  // ---- files

  // Its own copy of a file.
  copyOf(file) {
    const copy = path.join(this.dir, `${path.basename(path.dirname(file))}-${path.basename(file)}`);
    fs.copyFileSync(file, copy);
    fs.chmodSync(copy, 0o600);
    this.own();
    return copy;
  }

  #write(name, text) {
    const file = path.join(this.env.XDG_CONFIG_HOME, 'ringbearer', name);
    fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    fs.writeFileSync(file, text, { mode: 0o600 });
    this.own();
  }

  account(name, text) { this.#write(`accounts/${name}`, text); }
  defaults(text) { this.#write('defaults', text); }

  // Has these keys for its defaults, with copies of the files that they name.
  use(keys) {
    const own = (value) => (typeof value === 'string' && path.isAbsolute(value) ? this.copyOf(value) : value);
    this.defaults(writeAccount(Object.fromEntries(Object.entries(keys).map(([key, value]) => [key, own(value)]))));
  }

  // Loses what it has cached, and nothing else: an account that was touched has no token.
  lose() {
    const now = new Date();
    fs.utimesSync(path.join(this.env.XDG_CONFIG_HOME, 'ringbearer/accounts', NAME), now, now);
  }

  // The kernel keeps no keys for it from now on, so that its memory is in files. LAUNCHER is launcher.c's program.
  confine(launcher) {
    const confined = path.join(this.dir, 'confined');
    fs.writeFileSync(confined, `#!/bin/sh\nexec ${launcher} deny 1 ${this.world.program} "$@"\n`, { mode: 0o755 });
    this.program = confined;
    this.own();
  }

  // All that is in its memory is lost, as when a session or a container ends; the locks look as they did.
  forget() {
    for (const folder of [path.join(this.runtime, 'ringbearer'), `/dev/shm/ringbearer-${this.uid}`, `/tmp/ringbearer-${this.uid}`]) {
      for (const name of fs.existsSync(folder) ? fs.readdirSync(folder) : []) {
        if (!name.endsWith('.lock')) fs.rmSync(path.join(folder, name));
      }
    }
  }

  // All that runs there is dead at once.
  kill() {
    for (const pid of fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      try {
        if (fs.statSync(`/proc/${pid}`).uid === this.uid) process.kill(Number(pid), 'SIGKILL');
      } catch { /* it has gone */ }
    }
  }

  // ---- programs

  exec(file, args = [], { env, ...options } = {}) {
    const [become, ...words] = this.become;
    return run(become, [...words, file, ...args], { cwd: this.dir, ...options, env: { ...this.env, ...env } });
  }

  run(args, options) { return this.exec(this.program, args, options); }

  async must(args, options) {
    const result = await this.run(args, options);
    assert.equal(result.code, 0, `ringbearer ${args.join(' ')}: exit ${result.code ?? result.signal}\n${result.stderr}`);
    return result;
  }

  async request(keys, { verb = 'get', ...options } = {}) {
    const result = await this.run([verb], { ...options, input: writeMessage(keys) });
    return { ...result, answer: readMessage(result.stdout) };
  }

  get(keys = {}, options = {}) { return this.request({ account: NAME, capability: ['authtype', 'error'], ...keys }, options); }

  away() {
    for (const folder of [this.runtime, `/dev/shm/ringbearer-${this.uid}`, `/tmp/ringbearer-${this.uid}`]) fs.rmSync(folder, { recursive: true, force: true });
  }
}

export class Fleet {
  // Machines with nothing on them.
  static bare(world, count) {
    fs.chmodSync(world.dir, 0o711);
    return Object.assign(new Fleet(), { world, machines: Array.from({ length: count }, (_, index) => new Machine(world, index)) });
  }

  // STORE: the keys for a store that is shared.
  static async create(world, store, count) {
    const fleet = Fleet.bare(world, 1);
    const [first] = fleet.machines;
    fleet.keys = { store_local: 'file', ca_file: world.caFile, ...store };
    first.use(fleet.keys);
    await first.must(['store', 'init']);
    await first.must(['seal', 'new']);
    const { ca_file: unused, ...keys } = accountKeys(world); // eslint-disable-line no-unused-vars
    const flags = Object.entries(keys).map(([key, value]) => `--${key.replaceAll('_', '-')}=${value}`);
    await first.must(['add', NAME, ...flags, '--secret-stdin'], { input: DASHBOARD.client_secret });
    fleet.grow(count);
    return fleet;
  }

  // There are COUNT machines from now on, if there were fewer: copies of the first one, with its key.
  grow(count) {
    const [first] = this.machines;
    while (this.machines.length < count) {
      const machine = new Machine(this.world, this.machines.length);
      fs.cpSync(first.dir, machine.dir, { recursive: true });
      machine.use(this.keys);
      this.machines.push(machine);
    }
  }

  // A person consents, and MACHINE puts the refresh token into the store. Answers the token response.
  async logIn(machine = this.machines[0]) {
    const given = await grantA(this.world);
    const { code, stderr } = await machine.request({ account: NAME, refresh_token: given.refresh_token }, { verb: 'store' });
    assert.equal(code, 0, stderr);
    return given;
  }

  loseAll() {
    for (const machine of this.machines) machine.lose();
  }

  // The token that all have has ended, and nobody has it any more; the next ones live long.
  async age() {
    await this.world.control.ttl({ access: 1 });
    await this.machines[0].must(['refresh', NAME]);
    await this.world.control.ttl({ access: 3600 });
    await pause(1100);
    this.loseAll();
  }

  // ASK renews, and the service, which takes its time, has the request when this returns: { waiting }, a promise of what comes of it.
  async meanwhile(ask, seconds = 1) {
    await this.world.control.fault({ kind: 'delay', seconds });
    const began = Date.now();
    const waiting = ask();
    // The service's log is short, and many runs overflow it: its length says nothing.
    const asked = async () => (await this.world.control.log()).some(({ endpoint, at }) => endpoint === 'token' && new Date(at).getTime() >= began);
    await until(asked, 'the service is asked');
    return { waiting };
  }

  // The same of the first machine, once all tokens have ended.
  async underWay() {
    await this.age();
    return this.meanwhile(() => this.machines[0].get());
  }

  close() {
    for (const machine of this.machines) machine.away();
  }
}
