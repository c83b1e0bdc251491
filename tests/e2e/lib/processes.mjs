// SPDX-License-Identifier: MIT
//
// Child processes that do not outlive the test. Services end by themselves when their stdin closes,
// which happens however the test process ends, and clean up behind them; programs that run() is
// still waiting for when it exits are killed by their ids.

import { spawn } from 'node:child_process';
import fs from 'node:fs';

const alive = new Set();
process.on('exit', () => { for (const child of alive) child.kill('SIGKILL'); });

export function start(file, args, options) {
  const child = spawn(file, args, { ...options, shell: false });
  child.ended = new Promise((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
    child.once('error', (error) => resolve({ code: null, signal: null, error }));
  });
  return child;
}

// Runs to the end: { code, signal, timedOut, ms, stdout, stderr, stdoutBytes, stderrBytes }.
export async function run(file, args = [], { input = '', env, cwd, timeout = 60000 } = {}) {
  const started = performance.now();
  const child = start(file, args, { env, cwd, stdio: 'pipe' });
  alive.add(child);
  const chunks = { stdout: [], stderr: [] };
  for (const name of ['stdout', 'stderr']) child[name].on('data', (chunk) => chunks[name].push(chunk));
  child.stdin.on('error', () => {}); // a program need not read what it is given
  child.stdin.end(input);
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill('SIGKILL');
    for (const name of ['stdout', 'stderr']) child[name].destroy(); // a grandchild may hold the other end
  }, timeout);
  const { code, signal, error } = await child.ended;
  alive.delete(child);
  clearTimeout(timer);
  if (error) throw error;
  const [stdoutBytes, stderrBytes] = [Buffer.concat(chunks.stdout), Buffer.concat(chunks.stderr)];
  return {
    code, signal, timedOut, ms: performance.now() - started,
    stdout: stdoutBytes.toString(), stderr: stderrBytes.toString(), stdoutBytes, stderrBytes,
  };
}

// What a process and its children are at: name, state and the kernel function that they wait in.
function whereabouts(pid) {
  const read = (what) => {
    try {
      return fs.readFileSync(`/proc/${pid}/${what}`, 'utf8').trim();
    } catch {
      return '?';
    }
  };
  const state = /^State:\s+(.*)$/m.exec(read('status'))?.[1];
  const children = read(`task/${pid}/children`).split(' ').filter((child) => /^\d+$/.test(child));
  return [`${pid} ${read('comm')}, ${state}, in ${read('wchan')}`, ...children.flatMap(whereabouts)];
}

// The first line on stdout that starts with READY, without that word.
export function ready(child, what, timeout = 60000) {
  return new Promise((resolve, reject) => {
    let text = '';
    const giveUp = () => reject(new Error([`${what} did not come up in ${timeout} ms`, ...whereabouts(child.pid), text].join('\n')));
    const timer = setTimeout(giveUp, timeout);
    child.stdout.on('data', (chunk) => {
      text += chunk;
      const line = /^READY (.*)\n/m.exec(text);
      if (line) { clearTimeout(timer); resolve(line[1]); }
    });
    child.ended.then(({ code, signal, error }) => {
      clearTimeout(timer);
      reject(error ?? new Error(`${what} ended with ${code ?? signal} before it was ready`));
    });
  });
}

// Lets a long-running helper end by itself, then insists.
export async function stop(child, patience = 5000) {
  child.stdin.end();
  const timer = setTimeout(() => child.kill('SIGKILL'), patience);
  await child.ended;
  clearTimeout(timer);
}

// Ids of the processes that carry `name=value` in their environment, as far as we may read it.
export function processesWith(name, value) {
  return fs.readdirSync('/proc').filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .filter((pid) => {
      try {
        return fs.readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`${name}=${value}`);
      } catch {
        return false; // gone meanwhile, or not ours
      }
    }).map(Number);
}
