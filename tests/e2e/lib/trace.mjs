// SPDX-License-Identifier: MIT
//
// What a command gives to the programs that it runs and which files it opens to write, itself and all
// its children, by strace(1): nothing is too short-lived to be seen.

import fs from 'node:fs';

const LONGEST = 1 << 20;

// A sanitizer cannot look for leaks in a process that is traced.
const { ASAN_OPTIONS } = process.env;
const leaksPassed = ASAN_OPTIONS === undefined ? [] : ['-E', `ASAN_OPTIONS=${ASAN_OPTIONS}:detect_leaks=0`];

// The words to put before a command; `file` receives the trace.
export const traced = (file) => ['strace', ...leaksPassed, '-f', '-qq', '-v', '-s', String(LONGEST), '-e', 'trace=execve,open,openat,creat', '-o', file];

export const canTrace = async (world) => (await world.exec('strace', ['-qq', '-o', '/dev/null', 'true']).catch(() => ({ code: 1 }))).code === 0;

// { programs: the execve calls as strace writes them, written: names of files opened to be written }.
export function readTrace(file) {
  const lines = fs.readFileSync(file, 'utf8').split('\n');
  const opened = lines.filter((line) => /\bopen(at)?\(|\bcreat\(/.test(line) && /O_WRONLY|O_RDWR|O_CREAT|creat\(/.test(line) && !/ = -1 /.test(line));
  return {
    programs: lines.filter((line) => /\bexecve\(/.test(line)),
    written: opened.map((line) => /"((?:[^"\\]|\\.)*)"/.exec(line)[1]),
  };
}
