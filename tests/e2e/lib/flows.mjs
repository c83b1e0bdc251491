// SPDX-License-Identifier: MIT
//
// OAuth done by hand against the test servers, for tests that look at the servers themselves or
// need a token that the program did not get. Each function takes the world first.

import { createHash, randomBytes } from 'node:crypto';
import { DASHBOARD, MACHINE, REDIRECT_URI } from '../../servers/fixtures.mjs';
import { basic } from './http.mjs';

export const TOKEN_PATH = { a: '/rest/v2/oauth/token', b: '/oauth2/token' };
export const REVOKE_PATH = { a: '/rest/v2/oauth/revoke', b: '/oauth2/revoke' };
const AUTHORIZE_PATH = { a: '/rest/v2/oauth/authorize', b: '/oauth2/auth' };

export function pkce() {
  const verifier = randomBytes(32).toString('base64url');
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
}

// Tenant a: the client's id and secret in the body.
export const tokenA = (world, form, options = {}) => world.fetch(world.urls.a + TOKEN_PATH.a, { form, ...options });
export const machine = (world, changes = {}, options = {}) => tokenA(world, { grant_type: 'client_credentials', ...MACHINE, ...changes }, options);
export const refreshA = (world, refresh_token) => tokenA(world, { grant_type: 'refresh_token', refresh_token, ...DASHBOARD });
export const revokeA = (world, client, token, hint) => world.fetch(world.urls.a + REVOKE_PATH.a, {
  form: { token, ...(hint ? { token_type_hint: hint } : {}), client_id: client.client_id, client_secret: client.client_secret },
});

// Tenant b: the client's id and secret in the header, or an id alone in the body.
export function tokenB(world, client, form) {
  const secret = client.client_secret !== undefined;
  return world.fetch(world.urls.b + TOKEN_PATH.b, {
    form: secret ? form : { ...form, client_id: client.client_id }, headers: secret ? basic(client) : {},
  });
}

export function authorizeUrl(world, tenant, parameters) {
  const url = new URL(AUTHORIZE_PATH[tenant], world.urls[tenant]);
  for (const [name, value] of Object.entries({ response_type: 'code', state: 'st8', ...parameters })) url.searchParams.set(name, value);
  return url;
}

// A person consents: the parameters of the redirect, and the verifier that belongs to the code.
export async function consent(world, tenant, client, { person = {}, usePkce = true, redirect_uri = REDIRECT_URI, ...parameters } = {}) {
  const { verifier, challenge } = pkce();
  const proof = usePkce ? { code_challenge: challenge, code_challenge_method: 'S256' } : {};
  const url = authorizeUrl(world, tenant, { client_id: client.client_id, redirect_uri, ...proof, ...parameters });
  const { location, page, status } = await world.visit(url, person);
  const query = location ? Object.fromEntries(new URL(location).searchParams) : {};
  return { location, page, status, ...query, verifier, redirect_uri };
}

export const exchangeA = (world, { code, verifier, redirect_uri }) => tokenA(world, {
  grant_type: 'authorization_code', code, redirect_uri, code_verifier: verifier, ...DASHBOARD,
});

// Login, consent and exchange at tenant a: the members of the token response.
export async function grantA(world) {
  const given = await consent(world, 'a', DASHBOARD);
  return { ...(await exchangeA(world, given)).json, given };
}
