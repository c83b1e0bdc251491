// SPDX-License-Identifier: MIT
//
// What the two services do differently from the provider underneath.
//
// Assumed for tenant a, where its public pages are silent: the refusal of an address is a 403
// access_denied, a `scope` sent by the client is ignored in favour of the registered ones, there
// is no discovery document, and tokens are good again after OFF and ON.
// Assumed for tenant b: `prompt=consent` need not be sent to get offline_access.

import { jsonError } from './answers.mjs';
import { interactionPage } from './pages.mjs';
import { serveResource } from './resources.mjs';

const rewriteQuery = (ctx, change) => {
  const url = new URL(ctx.href);
  change(url.searchParams);
  ctx.url = url.pathname + url.search;
};

function prepareAuthorization(ctx, tenant) {
  if (tenant.id === 'b') {
    const offline = (ctx.query.scope ?? '').split(' ').includes('offline_access');
    if (offline && !ctx.query.prompt) rewriteQuery(ctx, (query) => query.set('prompt', 'consent'));
    return;
  }
  const app = tenant.apps.get(ctx.query.client_id);
  rewriteQuery(ctx, (query) => {
    query.delete('scope');
    if (app) query.set('scope', app.scopes.join(' '));
    query.set('prompt', 'consent');
  });
}

// oidc-provider takes a secret in the header and in the body alike; these services do not.
function misplacedSecret(ctx, tenant) {
  if (tenant.id === 'a' && ctx.get('authorization')) return 'send client_id and client_secret in the request body';
  if (tenant.id === 'b' && ctx.state.form?.get('client_secret')) return 'this client must use HTTP Basic authentication';
  return undefined;
}

function useRegisteredScopes(ctx, app) {
  const { form } = ctx.state;
  form.delete('scope');
  if (app && form.get('grant_type') === 'client_credentials') form.set('scope', app.scopes.join(' '));
  ctx.req.body = form.toString();
}

export const rules = (site, tenant, provider) => async (ctx, next) => {
  const { endpoint, form, clientId } = ctx.state;
  if (ctx.path.startsWith('/login/')) return interactionPage(ctx, site, tenant, provider);
  if (endpoint === 'api') return serveResource(ctx, site, tenant, provider);
  if (tenant.id === 'a' && (ctx.path.startsWith('/.well-known/') || ctx.path === tenant.paths.jwks)) {
    ctx.status = 404;
    ctx.body = '';
    return undefined;
  }
  if (endpoint === 'authorize') prepareAuthorization(ctx, tenant);
  if (endpoint === 'token' || endpoint === 'revoke' || endpoint === 'device') {
    const app = tenant.apps.get(clientId);
    if (app && !tenant.addressAllowed(app, ctx.req.socket.remoteAddress)) {
      return jsonError(ctx, 403, 'access_denied', 'address not allowed for this application');
    }
    const misplaced = misplacedSecret(ctx, tenant);
    if (misplaced) return jsonError(ctx, 401, 'invalid_client', misplaced);
    if (tenant.id === 'a' && form) useRegisteredScopes(ctx, app);
  }
  await next();
  const hideScope = tenant.id === 'a' && endpoint === 'token' && !site.settings.scopeInResponse;
  if (hideScope && ctx.status === 200) delete ctx.body.scope; // as in the documented example
  return undefined;
};
