// SPDX-License-Identifier: MIT
//
// Running a command where the file system looks different to it alone, in a mount namespace of its own.

import fs from 'node:fs';
import { run } from './processes.mjs';

export const isRoot = process.getuid() === 0;

// The words of a command that runs the shell script in such a namespace; "$@" are the other words.
export const inNamespace = (script, ...words) => ['unshare', isRoot ? '-m' : '-Urm', 'sh', '-ec', script, 'sh', ...words];

// False where the machine does not allow it: tests are skipped then, by name.
export async function canUnshare() {
  const [file, ...args] = inNamespace('mount -t tmpfs tmpfs /mnt');
  return (await run(file, args, { env: process.env }).catch(() => ({ code: 1 }))).code === 0;
}

// Runs the program with a folder that cannot be written to; root needs more than permissions for that.
export async function withReadOnly(world, folder, args, options) {
  if (isRoot) {
    const [file, ...words] = inNamespace('mount --bind "$1" "$1"; mount -o remount,bind,ro "$1"; shift; exec "$@"', folder, world.program, ...args);
    return world.exec(file, words, options);
  }
  const { mode } = fs.statSync(folder);
  fs.chmodSync(folder, 0o500);
  try {
    return await world.run(args, options);
  } finally {
    fs.chmodSync(folder, mode & 0o7777);
  }
}
