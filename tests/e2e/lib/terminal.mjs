// SPDX-License-Identifier: MIT
//
// A command on a terminal of its own (script(1) makes one), with somebody who types. Answers
// { code, output }; stdout and stderr of the command are one on a terminal.
//
//     await onTerminal(world, ['add', 'nightly'], [[/shown\): $/, 'secret\n'], [/again/, '\x03']]);
//
// Each answer is typed once what has come since the last one matches its pattern.

import { start } from './processes.mjs';

const PATIENCE = 10000;
const quoted = (word) => `'${String(word).replaceAll("'", "'\\''")}'`;

export const shellLine = (words) => words.map(quoted).join(' ');

// `command` is a line for the shell.
export async function shellOnTerminal(world, command, answers = [], { env } = {}) {
  const child = start('script', ['-qefc', command, '/dev/null'], { cwd: world.env.HOME, env: { ...world.env, SHELL: '/bin/sh', ...env } });
  const waiting = [...answers];
  let [output, read] = ['', 0];
  child.stdin.on('error', () => {});
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
      if (waiting.length === 0 || !waiting[0][0].test(output.slice(read))) return;
      read = output.length;
      child.stdin.write(waiting.shift()[1]);
    });
  }
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
  const { code, error } = await child.ended;
  clearTimeout(timer);
  if (error) throw error;
  return { code, output: output.replaceAll('\r\n', '\n') };
}

export const onTerminal = (world, args, answers, options) => shellOnTerminal(world, shellLine([world.program, ...args]), answers, options);
