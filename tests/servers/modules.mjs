// SPDX-License-Identifier: MIT
//
// A private module registry for Terraform and OpenTofu (the module registry protocol) with one module,
// acme/sample/null. The module itself is a file that anybody may fetch, as in real registries.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { openGuarded } from './guarded.mjs';

const ARCHIVE = '/sample.tar.gz';
const VERSION = '1.0.0';

function pack(directory) {
  const source = path.join(directory, 'module');
  fs.mkdirSync(source, { recursive: true });
  fs.writeFileSync(path.join(source, 'main.tf'), 'output "said" {\n  value = "hello"\n}\n');
  return execFileSync('tar', ['-cz', '-C', source, '.']);
}

export async function openModules(world) {
  const archive = pack(world.dir);
  return openGuarded(world, (request, response) => {
    const json = (value) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    switch (new URL(request.url, 'https://modules').pathname) {
      case '/.well-known/terraform.json': return json({ 'modules.v1': '/v1/modules/' });
      case '/v1/modules/acme/sample/null/versions': return json({ modules: [{ versions: [{ version: VERSION }] }] });
      case `/v1/modules/acme/sample/null/${VERSION}/download`: return response.writeHead(204, { 'x-terraform-get': ARCHIVE }).end();
      case ARCHIVE: return response.writeHead(200, { 'content-type': 'application/gzip' }).end(archive);
      default: return response.writeHead(404).end();
    }
  }, { open: ({ url }) => url.startsWith(ARCHIVE) || url === '/.well-known/terraform.json' });
}
