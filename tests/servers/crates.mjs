// SPDX-License-Identifier: MIT
//
// A sparse cargo registry that wants a token for everything (auth-required), with one crate, acme-sample 0.1.0.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { openGuarded } from './guarded.mjs';

export const CRATE = 'acme-sample';
const VERSION = '0.1.0';
const INDEX = '/index';

function pack(directory) {
  const folder = `${CRATE}-${VERSION}`;
  fs.mkdirSync(path.join(directory, folder, 'src'), { recursive: true });
  fs.writeFileSync(path.join(directory, folder, 'Cargo.toml'), `[package]\nname = "${CRATE}"\nversion = "${VERSION}"\nedition = "2021"\n`);
  fs.writeFileSync(path.join(directory, folder, 'src/lib.rs'), '');
  return execFileSync('tar', ['-cz', '-C', directory, folder]);
}

export async function openCrates(world) {
  const crate = pack(world.dir);
  const entry = { name: CRATE, vers: VERSION, deps: [], cksum: createHash('sha256').update(crate).digest('hex'), features: {}, yanked: false };
  const crates = await openGuarded(world, (request, response) => {
    const config = { dl: `https://${request.headers.host}/dl`, api: `https://${request.headers.host}`, 'auth-required': true };
    const body = {
      [`${INDEX}/config.json`]: JSON.stringify(config),
      [`${INDEX}/${CRATE.slice(0, 2)}/${CRATE.slice(2, 4)}/${CRATE}`]: JSON.stringify(entry),
      [`/dl/${CRATE}/${VERSION}/download`]: crate,
    }[request.url];
    response.writeHead(body === undefined ? 404 : 200).end(body);
  });
  return { ...crates, index: `${crates.url}${INDEX}/` };
}
