// SPDX-License-Identifier: MIT
//
// git's own smart HTTP server (git http-backend) behind TLS and a gate: each request needs a credential
// that CHECK believes, as Bearer or as the password of Basic. For tests, in their own process.
//
//     const server = await startGitServer({ root, certificates, scheme: 'Bearer', check: async ({ user, secret }) => … });
//     server.url; server.seen (what came in: user, secret, status); await server.stop();

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';

const challenges = { Basic: 'Basic realm="git"', Bearer: 'Bearer realm="git"' };

function credentialOf(request, scheme) {
  const [, said, value] = /^(\S+) (.*)$/.exec(request.headers.authorization ?? '') ?? [];
  if (said !== scheme) return undefined;
  if (scheme === 'Bearer') return { secret: value };
  const text = Buffer.from(value, 'base64').toString();
  const colon = text.indexOf(':');
  return { user: text.slice(0, colon), secret: text.slice(colon + 1) };
}

// The answer of a CGI program: headers, a blank line, the body.
function passOn(output, response) {
  const end = output.indexOf('\r\n\r\n');
  const headers = output.subarray(0, end).toString().split('\r\n').map((line) => /^([^:]+): *(.*)$/.exec(line).slice(1));
  const status = headers.find(([name]) => name === 'Status')?.[1];
  response.writeHead(parseInt(status ?? '200', 10), Object.fromEntries(headers.filter(([name]) => name !== 'Status')));
  response.end(output.subarray(end + 4));
}

function backend(request, response, url, { root, user }) {
  const child = spawn('git', ['http-backend'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: {
      PATH: process.env.PATH, GIT_CONFIG_NOSYSTEM: '1', HOME: root, GIT_PROJECT_ROOT: root, GIT_HTTP_EXPORT_ALL: '1', REMOTE_USER: user ?? 'token',
      REQUEST_METHOD: request.method, PATH_INFO: decodeURIComponent(url.pathname), QUERY_STRING: url.search.slice(1),
      CONTENT_TYPE: request.headers['content-type'] ?? '', HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: request.headers['git-protocol'] ?? '',
    },
  });
  const chunks = [];
  child.stdout.on('data', (chunk) => chunks.push(chunk));
  child.on('close', () => passOn(Buffer.concat(chunks), response));
  child.stdin.on('error', () => {});
  request.pipe(child.stdin);
}

export async function startGitServer({ root, certificates, scheme, check }) {
  const read = (name) => fs.readFileSync(path.join(certificates, name));
  const seen = [];
  const server = https.createServer({ key: read('server.key'), cert: read('server.pem') }, async (request, response) => {
    const url = new URL(request.url, 'https://git');
    const credential = credentialOf(request, scheme);
    const welcome = credential !== undefined && await check(credential);
    seen.push({ path: url.pathname, ...credential, status: welcome ? 200 : 401 });
    if (welcome) return backend(request, response, url, { root, user: credential.user });
    const invalid = credential !== undefined && scheme === 'Bearer' ? ', error="invalid_token"' : '';
    request.resume();
    return response.writeHead(401, { 'www-authenticate': challenges[scheme] + invalid }).end();
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return {
    url: `https://127.0.0.1:${server.address().port}`,
    seen,
    stop: () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); }),
  };
}
