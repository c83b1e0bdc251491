// SPDX-License-Identifier: MIT
//
// The certified oidc-provider, set up as one tenant under one issuer. Several providers may share
// a tenant (https and plain http): applications and tokens are the tenant's.

import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { Provider } from 'oidc-provider';
import { devicePages, errorPage } from './pages.mjs';
import { recorder } from './recorder.mjs';
import { rules } from './rules.mjs';
import { storageFor } from './storage.mjs';

const DAY = 86400;

// Signs id tokens, which only tenant b gives out (scope openid). It goes through PEM because node 20 waits for ever
// if its garbage collector runs while a key that it has just generated is exported as a JWK.
const PEM = { publicKeyEncoding: { type: 'spki', format: 'pem' }, privateKeyEncoding: { type: 'pkcs8', format: 'pem' } };
const signingKey = {
  ...createPrivateKey(generateKeyPairSync('ec', { namedCurve: 'P-256', ...PEM }).privateKey).export({ format: 'jwk' }),
  use: 'sig', alg: 'ES256', kid: 'test',
};

function lifetimes(site) {
  const access = () => site.ttl.access;
  return {
    AccessToken: access, ClientCredentials: access,
    RefreshToken: () => site.ttl.refresh, AuthorizationCode: () => site.ttl.code, DeviceCode: () => site.ttl.device,
    IdToken: 3600, Interaction: 600, Session: DAY, Grant: 30 * DAY,
  };
}

function features(isA) {
  return {
    devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: false },
    resourceIndicators: { enabled: false }, dPoP: { enabled: false }, pushedAuthorizationRequests: { enabled: false },
    revocation: { enabled: true },
    clientCredentials: { enabled: isA },
    introspection: { enabled: !isA },
    userinfo: { enabled: !isA },
    deviceFlow: { enabled: !isA, ...devicePages },
  };
}

function configuration(site, tenant) {
  const isA = tenant.id === 'a';
  const authMethod = isA ? 'client_secret_post' : 'client_secret_basic';
  return {
    adapter: storageFor(tenant),
    clients: [],
    clientAuthMethods: isA ? [authMethod] : [authMethod, 'none'],
    clientDefaults: { token_endpoint_auth_method: authMethod, id_token_signed_response_alg: 'ES256' },
    clockTolerance: 0, // the default of 15 s would keep short-lived tokens alive
    // Cookies do not tell ports apart: tenants on one host need names of their own.
    cookies: {
      keys: ['test'],
      names: { session: `session_${tenant.id}`, interaction: `interaction_${tenant.id}`, resume: `resume_${tenant.id}` },
    },
    scopes: tenant.scopes,
    responseTypes: ['code'],
    routes: tenant.paths,
    jwks: { keys: [signingKey] },
    pkce: { required: (ctx, client) => isA || client.clientAuthMethod === 'none' },
    ttl: lifetimes(site),
    features: features(isA),
    interactions: { url: (ctx, interaction) => `/login/${interaction.uid}` },
    findAccount: (ctx, id) => (site.users[id] ? { accountId: id, claims: async () => ({ sub: id }) } : undefined),
    expiresWithSession: () => false,
    // Tenant a gives a refresh token with every code grant, tenant b only for offline_access.
    issueRefreshToken: async (ctx, client, source) => client.grantTypeAllowed('refresh_token')
      && (isA || source.scopes.has('offline_access')),
    // The reuse of a rotated token revokes the whole grant.
    rotateRefreshToken: (ctx) => !ctx.state.keepRefreshToken && tenant.rotates(),
    loadExistingGrant: async (ctx) => { // none but the one just made: consent is asked every time
      const id = ctx.oidc.result?.consent?.grantId;
      return id ? ctx.oidc.provider.Grant.find(id) : undefined;
    },
    clientBasedCORS: () => false,
    renderError: errorPage,
  };
}

export function makeHandler(site, tenant, issuer) {
  const provider = new Provider(issuer, configuration(site, tenant));
  provider.on('server_error', (ctx, error) => console.error(`[${tenant.id}] ${ctx.method} ${ctx.path}:`, error));
  provider.use(recorder(site, tenant));
  provider.use(rules(site, tenant, provider));
  return provider.callback();
}
