// SPDX-License-Identifier: MIT
//
// The example of ringbearer-store(7), as a program.

import fs from 'node:fs';
import path from 'node:path';
import { SOURCE } from './builds.mjs';

export function storeExample(world) {
  const page = fs.readFileSync(path.join(SOURCE, 'protocol/ringbearer-store.7'), 'utf8');
  const [, text] = /^\.SH EXAMPLE$.*?^\.EX\n(.*?)^\.EE$/ms.exec(page);
  const script = path.join(world.dir, 'bin/example');
  fs.mkdirSync(path.join(world.env.HOME, 'secrets'), { recursive: true });
  fs.writeFileSync(script, text.replaceAll('\\-', '-').replaceAll('\\(aq', "'").replaceAll('\\e', '\\'), { mode: 0o700 });
  return script;
}
