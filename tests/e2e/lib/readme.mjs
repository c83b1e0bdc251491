// SPDX-License-Identifier: MIT
//
// The README's blocks, for tests that run what it says: the text that a reader would copy.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.resolve(process.env.RINGBEARER_SOURCE ?? fileURLToPath(new URL('../../../', import.meta.url)));
const README = fs.readFileSync(path.join(ROOT, 'README.md'), 'utf8');

// The indented block below the line `<!-- run: NAME -->`, without its indent.
export function block(name) {
  const [, rest] = README.split(`<!-- run: ${name} -->\n`);
  assert.ok(rest, `README.md has no block ${name}`);
  const lines = rest.replace(/^\n+/, '').split('\n');
  const end = lines.findIndex((line) => line !== '' && !line.startsWith('    '));
  return lines.slice(0, end < 0 ? undefined : end).map((line) => line.slice(4)).join('\n').trimEnd() + '\n';
}

// The names of all blocks, and the first lines of those that have none. What folds out (the demonstration) is no block.
export function blocks() {
  const lines = README.replace(/<details>[^]*?<\/details>/g, '').split('\n');
  const starts = lines.map((_, at) => at).filter((at) => lines[at].startsWith('    ') && lines[at - 1] === '' && !/^( {4}|- )/.test(lines[at - 2] ?? ''));
  const nameAbove = (at) => /^<!-- run: (\S+) -->$/.exec(lines[at - 2])?.[1];
  return { marked: starts.map(nameAbove).filter(Boolean), unmarked: starts.filter((at) => !nameAbove(at)).map((at) => lines[at]) };
}
