// SPDX-License-Identifier: MIT
//
// The outermost layer of a tenant: notes each request in the log, counts it, lets token requests
// through one at a time, and applies faults. The log holds whatever was sent, secrets included:
// that is its purpose.
//
// Endpoints as faults and counters know them: token, revoke, device, authorize, discovery, api.
// Token requests are counted under their grant type ('none' if they have none).

import { basicCredentials, readBody } from './answers.mjs';
import { after, before, keepsRefreshToken, replacesWork, takeFault } from './faults.mjs';
import { resourceRule } from './resources.mjs';

function endpointOf(tenant, ctx) {
  const { token, revocation, device_authorization: device, authorization } = tenant.paths;
  switch (ctx.path) {
    case token: return 'token';
    case revocation: return 'revoke';
    case device: return 'device';
    case authorization: return 'authorize';
    default:
      if (/\/\.well-known\/(openid-configuration|oauth-authorization-server)(\/|$)/.test(ctx.path)) return 'discovery';
      return resourceRule(tenant, ctx) ? 'api' : undefined;
  }
}

// The stream can be read once: oidc-provider takes what it finds in req.body.
async function readForm(ctx) {
  if (ctx.method !== 'POST' || !ctx.is('application/x-www-form-urlencoded')) return undefined;
  ctx.req.body = await readBody(ctx.req);
  return ctx.req.body;
}

async function apply(ctx, fault, site, entry) {
  if (Object.hasOwn(before, fault.kind)) await before[fault.kind](ctx, fault, site);
  else if (ctx.status < 400) await after[fault.kind](ctx, fault, site);
  else entry.fault += ' (not applied: the server refused)';
}

export const recorder = (site, tenant) => async (ctx, next) => {
  const endpoint = endpointOf(tenant, ctx);
  if (!endpoint) return next();
  const entry = {
    at: Date.now(), endpoint, method: ctx.method, url: ctx.url, ip: ctx.req.socket.remoteAddress,
    authorization: ctx.get('authorization') || undefined, user_agent: ctx.get('user-agent'),
    headers: { ...ctx.headers }, body: endpoint === 'api' ? undefined : await readForm(ctx),
  };
  const form = entry.body === undefined ? undefined : new URLSearchParams(entry.body);
  const grantType = form?.get('grant_type') ?? undefined;
  entry.client_id = basicCredentials(entry.authorization).id ?? form?.get('client_id') ?? ctx.query.client_id;
  tenant.record(entry);
  const fault = takeFault(tenant, endpoint, grantType, entry.client_id);
  entry.fault = fault?.kind;
  ctx.state = { ...ctx.state, endpoint, form, clientId: entry.client_id, keepRefreshToken: keepsRefreshToken(fault) };

  const worked = !replacesWork(fault);
  if (worked) {
    await (endpoint === 'token' ? tenant.alone(next) : next());
    entry.server_status = ctx.status; // what the server decided, whatever goes over the wire
    entry.error = ctx.body?.error;
  }
  tenant.count(endpoint === 'token' ? (grantType ?? 'none') : endpoint, worked && ctx.status < 400);
  if (fault) await apply(ctx, fault, site, entry);
  entry.status = ctx.respond === false ? 'raw' : ctx.status;
  return undefined;
};
