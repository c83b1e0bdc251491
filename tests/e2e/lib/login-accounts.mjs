// SPDX-License-Identifier: MIT
//
// Accounts that a person logs in to, at both services, and what the servers and the keyring then
// know of them. For tenant a with a fixed address see World.addAuthorizationCode().

import { DEVICE_CLI, FIELD_SERVICE } from '../../servers/fixtures.mjs';
import { itemsOf } from './keyring-items.mjs';
import { World } from './world.mjs';

export const SEGMENTS = '/rest/v2/segments';
export const DEVICES = '/v1/devices';

const atTenantB = (world) => ({
  provider: 'bluesonde', grant: 'authorization_code', match: `${world.urls.b}/v1/`, ca_file: world.caFile,
  authorization_endpoint: `${world.urls.b}/oauth2/auth`, token_endpoint: `${world.urls.b}/oauth2/token`,
  scope: 'devices:read offline_access',
});

const given = (keys) => Object.fromEntries(Object.entries(keys).filter(([, value]) => value !== undefined));

// A program with a secret, which goes into the header; its address is registered to the last digit.
export async function addConfidential(world, name, extra = {}) {
  const { client_id, client_secret } = FIELD_SERVICE;
  const redirect_uri = extra.redirect_uri ?? `http://127.0.0.1:${await World.freePort()}/callback`;
  await world.control.app({ tenant: 'b', client_id, redirect_uris: [redirect_uri] });
  await world.add(name, given({ ...atTenantB(world), client_id, redirect_uri, ...extra }), client_secret);
  return redirect_uri;
}

// A program without one; any port of the loopback interface will do.
export const addPublic = (world, name, extra = {}) => world.add(name, given({
  ...atTenantB(world), client_id: DEVICE_CLI.client_id, client_auth: 'none', redirect_uri: 'http://127.0.0.1/callback', ...extra,
}));

// The requests of one kind that a tenant has seen, with their bodies as URLSearchParams.
export async function seen(world, tenant, endpoint) {
  const entries = (await world.control.log(tenant)).filter((entry) => entry.endpoint === endpoint);
  return entries.map((entry) => ({
    ...entry, form: new URLSearchParams(entry.body ?? ''), query: new URL(entry.url, 'http://server').searchParams,
  }));
}

// The kinds of secrets that the keyring has for an account, sorted.
export const kindsKept = async (world, account) => (await itemsOf(world, account)).map(({ attributes }) => attributes.kind).sort();

// The refresh token in the keyring, read past the program; undefined if there is none.
export async function refreshTokenOf(world, account) {
  const { code, stdout } = await world.exec('secret-tool', ['lookup', 'account', account, 'kind', 'refresh_token']);
  return code === 0 ? Buffer.from(stdout.replace(/^ringbearer1:/, ''), 'base64url').toString() : undefined;
}

export async function tokenOf(world, account) {
  const { code, answer, stderr } = await world.request({ account, capability: ['authtype'] });
  if (code !== 0) throw new Error(stderr);
  return answer.credential;
}
