// SPDX-License-Identifier: MIT
//
// A machine of a test that calls a store's operations directly: a process of driver.c.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { BUILD, SOURCE, compile, isInstrumented } from '../../e2e/lib/builds.mjs';
import { start, stop } from '../../e2e/lib/processes.mjs';

export const modules = process.env.RINGBEARER_MODULE_DIR ?? path.join(BUILD, 'helper/modules/.libs');
export const SEAL_KEY = '5e'.repeat(32);
// ringbearer.h
export const CODES = { ok: 0, busy: -12, unavailable: -8, absent: -9, locked: -6, config: -18, system: -22 };

// Why the operations of the built modules cannot be called here; or false.
export const undrivable = () => isInstrumented() && 'an instrumented module wants an instrumented program';

let program;

// Compiles the driver, once in this process.
function driver() {
  program ??= (async () => {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'rbd-'));
    process.on('exit', () => fs.rmSync(directory, { recursive: true, force: true }));
    const file = path.join(directory, 'driver');
    const source = (name) => path.join(SOURCE, name);
    await compile('-DHAVE_CONFIG_H', '-D_GNU_SOURCE', '-g', `-I${BUILD}`, `-I${SOURCE}`, `-I${source('protocol')}`, `-I${source('helper')}`, `-I${source('tests/unit')}`,
      source('tests/stores/suite/driver.c'), source('tests/unit/fake-host.c'), source('protocol/secret.c'), '-ldl', '-o', file);
    return file;
  })();
  return program;
}

export class Machine {
  // KEYS: those of an account, and seal_key, store_password, remaining_ms.
  static async start({ store, ...keys }, { env = {} } = {}) {
    const machine = new Machine();
    const words = Object.entries({ store, seal_key: SEAL_KEY, ...keys }).flatMap(([key, value]) => [value ?? []].flat().map((each) => `${key}=${each}`));
    machine.child = start(await driver(), [path.join(modules, `store-${store.replaceAll('_', '-')}.so`), ...words], {
      env: { PATH: process.env.PATH, ...(process.env.ASAN_OPTIONS ? { ASAN_OPTIONS: process.env.ASAN_OPTIONS } : {}), ...env }, stdio: ['pipe', 'pipe', 'inherit'],
    });
    machine.waiting = [];
    machine.lines = readline.createInterface({ input: machine.child.stdout });
    const first = new Promise((resolve, reject) => {
      machine.lines.once('line', resolve);
      machine.child.ended.then(({ code, signal }) => reject(new Error(`the driver ended with ${code ?? signal}`)));
    });
    machine.shares = (await first) === 'READY journal';
    machine.lines.on('line', (line) => machine.waiting.shift()?.resolve(line));
    machine.child.ended.then(({ code, signal }) => machine.waiting.splice(0).forEach(({ reject }) => reject(new Error(`the driver ended with ${code ?? signal}`))));
    return machine;
  }

  // One operation, written as driver.c has it.
  async do(...words) {
    const answer = new Promise((resolve, reject) => { this.waiting.push({ resolve, reject }); });
    this.child.stdin.write(`${words.join(' ')}\n`);
    const text = await answer;
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new Error(`${error.message}: ${text.slice(0, 500)}`);
    }
  }

  pause() { this.child.kill('SIGSTOP'); }
  resume() { this.child.kill('SIGCONT'); }

  async kill() {
    this.child.kill('SIGKILL');
    await this.child.ended;
  }

  async stop() { await stop(this.child); }
}
