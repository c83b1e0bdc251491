// SPDX-License-Identifier: MIT
//
// What was built, and variants of it: the program linked once more with other folders, small programs
// and modules that tests bring along.

import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './processes.mjs';

const ROOT = path.resolve(fileURLToPath(new URL('../../../', import.meta.url)));
export const BUILD = path.resolve(process.env.RINGBEARER_BUILD ?? ROOT);
export const SOURCE = path.resolve(process.env.RINGBEARER_SOURCE ?? ROOT);
export const PROGRAM = path.join(BUILD, 'helper/ringbearer'); // answers from the cache, and becomes
export const WHOLE = path.join(BUILD, 'helper/ringbearer-whole'); // this for all else
export const LIBRARY = path.join(BUILD, 'protocol/.libs/libringbearer.so');
export const MODULE_SOURCES = path.join(ROOT, 'tests/modules');

// Sanitizers and coverage bring libraries, sections and system calls of their own.
export function isInstrumented() {
  const bytes = fs.readFileSync(WHOLE);
  return ['__asan_init', '__ubsan_handle', '__gcov_', '__llvm_profile'].some((name) => bytes.includes(name));
}

export async function compile(...args) {
  const { code, stderr } = await run(process.env.CC ?? 'cc', args, { env: process.env });
  if (code !== 0) throw new Error(`cc ${args.join(' ')}\n${stderr}`);
}

// The whole program with its folders elsewhere: the objects that were built, and paths.c compiled
// anew. Undefined where that cannot be done.
export async function relink(output, { sysconfdir = '/etc', datadir = '/usr/share/ringbearer', moduledir = '/usr/lib/ringbearer' }) {
  const folder = path.join(BUILD, 'helper');
  const objects = fs.readdirSync(folder, { recursive: true }).filter((name) => /(^|\/)ringbearer_whole-[^/]*\.o$/.test(name))
    .map((name) => path.join(folder, name));
  const rest = [...objects, path.join(BUILD, 'protocol/.libs/libprotocol.a')];
  const includes = [BUILD, SOURCE, `${SOURCE}/protocol`, folder, `${SOURCE}/helper`].map((name) => `-I${name}`);
  const folders = Object.entries({ SYSCONFDIR: sysconfdir, DATADIR: datadir, MODULEDIR: moduledir, LIBEXECDIR: '/usr/libexec' })
    .map(([name, value]) => `-DRBR_${name}="${value}"`);
  try {
    await compile(...includes, ...folders, '-O', '-o', output, path.join(SOURCE, 'protocol/fastpath/paths.c'), ...rest);
  } catch {
    return undefined;
  }
  return output;
}
