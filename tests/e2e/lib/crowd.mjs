// SPDX-License-Identifier: MIT
//
// Many callers at one moment: every process is up and waits for its request before the first is given
// one, so that all of them began before anybody had an answer.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { readMessage, writeMessage } from './message.mjs';
import { start } from './processes.mjs';
import { until } from './until.mjs';

const PATIENCE = 20000;

function begin(world, args, env) {
  const [file, ...words] = world.launch ?? [world.program];
  const child = start(file, [...words, ...args], { cwd: world.env.HOME, env: { ...world.env, ...env }, stdio: 'pipe' });
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) child[name].on('data', (chunk) => { text[name] += chunk; });
  child.stdin.on('error', () => {});
  return { child, text };
}

// Asleep under its own name: it has begun and reads.
const waits = ({ pid }) => /^\d+ \(ringbearer\) S /.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'));

async function finish({ child, text }, input) {
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
  child.stdin.end(input);
  const { code, signal } = await child.ended;
  clearTimeout(timer);
  return { code, signal, ...text, answer: readMessage(text.stdout) };
}

// `env` of the caller at an index may differ. A machine of a fleet has words of its own to launch the program with.
export async function crowd(world, size, keys, { verb = 'get', env = () => ({}) } = {}) {
  const callers = Array.from({ length: size }, (_, index) => begin(world, [verb], env(index)));
  await until(() => callers.every(({ child }) => waits(child)), 'all callers are up', { step: 5 });
  return Promise.all(callers.map((caller) => finish(caller, writeMessage(keys))));
}

// The one value that all results have at `key`.
export function agreed(results, key = 'credential') {
  const values = new Set(results.map(({ code, answer }) => (answer[key] === undefined ? `exit ${code}` : answer[key])));
  assert.equal(values.size, 1, [...values].join(' '));
  return [...values][0];
}
