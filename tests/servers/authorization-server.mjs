#!/usr/bin/env node
// SPDX-License-Identifier: MIT
//
// authorization-server.mjs DIRECTORY [--stay]
//
// The authorization servers that the tests and the demonstration run against, in one process on
// loopback: tenant a behaves like BlueConic's REST API v2, tenant b like Bluesonde's, both on the
// certified oidc-provider. Certificates are made in DIRECTORY unless they are there.
//
// Prints one line on stdout once everything listens:
//     READY {"pid":…, "ca":"DIRECTORY/ca.pem", "urls":{"control":…, "a":…, "b":…, …}}
// Ends on SIGTERM or SIGINT and, without --stay, when its stdin closes, so that it cannot outlive
// the test run that holds the other end.
//
// Environment: ACCESS_TTL (3600), REFRESH_TTL (30 days), CODE_TTL (60), DEVICE_TTL (600) in seconds;
// SERIALIZE=0 lets token requests run side by side; SCOPE_IN_RESPONSE=1 makes tenant a name the
// scopes. Where the services' public pages are silent, rules.mjs says what is assumed.

import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { openListeners } from './listeners.mjs';
import { Site } from './tenant.mjs';

const [directory, ...options] = process.argv.slice(2);
if (!directory || options.some((option) => option !== '--stay')) {
  console.error('usage: authorization-server.mjs DIRECTORY [--stay]');
  process.exit(2);
}

const { env } = process;
const settings = {
  ttl: {
    access: Number(env.ACCESS_TTL ?? 3600), refresh: Number(env.REFRESH_TTL ?? 30 * 86400),
    code: Number(env.CODE_TTL ?? 60), device: Number(env.DEVICE_TTL ?? 600),
  },
  serialize: env.SERIALIZE !== '0',
  scopeInResponse: env.SCOPE_IN_RESPONSE === '1',
};

const stop = () => process.exit(0);
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
if (!options.includes('--stay')) process.stdin.on('end', stop).on('error', stop).resume();

const makeCertificates = fileURLToPath(new URL('certificates.sh', import.meta.url));
execFileSync(makeCertificates, [directory], { stdio: ['ignore', 'ignore', 'inherit'] });
const urls = await openListeners(new Site(settings), directory);
const ca = path.resolve(directory, 'ca.pem');
process.stdout.write(`READY ${JSON.stringify({ pid: process.pid, ca, urls })}\n`);
