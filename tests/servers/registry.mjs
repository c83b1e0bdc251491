// SPDX-License-Identifier: MIT
//
// A container registry that takes tokens as the password of Basic: Debian's docker-registry behind a proxy that asks the
// authorization server. It has one image, acme/sample:1, which is made here.

import { createHash } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { openGuarded, passwordOf } from './guarded.mjs';

export const IMAGE = 'acme/sample';
export const TAG = '1';

const sha256 = (bytes) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

function refuse(response) {
  response.writeHead(401, { 'www-authenticate': 'Basic realm="registry"', 'content-type': 'application/json' });
  response.end('{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}');
}

// An image without layers, as an OCI layout: for `skopeo copy oci:DIRECTORY`.
export function makeImage(directory) {
  const put = (bytes, mediaType) => {
    const digest = sha256(bytes);
    fs.mkdirSync(path.join(directory, 'blobs/sha256'), { recursive: true });
    fs.writeFileSync(path.join(directory, 'blobs', digest.replace(':', '/')), bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const config = put(JSON.stringify({ architecture: 'amd64', os: 'linux', config: {}, rootfs: { type: 'layers', diff_ids: [] } }), 'application/vnd.oci.image.config.v1+json');
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = put(JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [] }), mediaType);
  fs.writeFileSync(path.join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  fs.writeFileSync(path.join(directory, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [manifest] }));
  return directory;
}

// The file that docker-registry is started with.
export function configure(directory, port) {
  const file = path.join(directory, 'registry.json'); // YAML as well
  fs.writeFileSync(file, JSON.stringify({
    version: 0.1, log: { level: 'error' }, storage: { filesystem: { rootdirectory: path.join(directory, 'registry') } },
    http: { addr: `127.0.0.1:${port}`, relativeurls: true },
  }));
  return file;
}

export const openProxy = (world, port) => openGuarded(world, (request, response) => {
  const { authorization, ...headers } = request.headers;
  const onward = http.request({ host: '127.0.0.1', port, method: request.method, path: request.url, headers, agent: false }, (reply) => {
    response.writeHead(reply.statusCode, reply.headers);
    reply.pipe(response);
  });
  onward.on('error', () => response.destroy());
  request.pipe(onward);
}, { tokenOf: passwordOf, refuse });
