// SPDX-License-Identifier: MIT
//
// The protected resources. A token passes if it is alive, its application is ON and called from an
// allowed address, its scopes suffice and (tenant a) the person behind it has the permission.
// 401 means that the token is bad, 403 that the token is good but does not reach this far.

import { bearerError, jsonError } from './answers.mjs';

const RULES = {
  a: {
    'GET /rest/v2/segments': {
      scope: 'read:segments', permission: 'segments',
      body: () => ({ totalCount: 2, segments: [{ id: 's1', name: 'Newsletter' }, { id: 's2', name: 'Returning' }] }),
    },
    'GET /rest/v2/interactions': {
      scope: 'read:interactions', permission: 'interactions',
      body: () => ({ totalCount: 0, interactions: [] }),
    },
  },
  b: {
    'GET /v1/devices': { scope: 'devices:read', body: () => ({ data: [{ id: 'd1', kind: 'sensor' }] }) },
    'POST /v1/devices': { scope: 'devices:write', body: () => ({ id: 'd2' }) },
  },
};

export const resourceRule = (tenant, ctx) => RULES[tenant.id][`${ctx.method} ${ctx.path}`];

const refuse = (problem) => ({ problem });

function bearerOfKey(key) {
  return key.active ? { scopes: key.scopes, user: 'api-key' } : refuse({ status: 401, text: 'the API key was revoked' });
}

async function bearerOfToken(ctx, tenant, provider, value) {
  const token = await provider.AccessToken.find(value) ?? await provider.ClientCredentials.find(value);
  const app = token && tenant.apps.get(token.clientId);
  if (!token?.isValid || app?.status !== 'ON') {
    return refuse({ status: 401, text: 'the access token is expired, revoked or unknown' });
  }
  if (!tenant.addressAllowed(app, ctx.req.socket.remoteAddress)) {
    return refuse({ status: 403, text: 'address not allowed for this application' });
  }
  return { scopes: [...token.scopes], user: token.accountId ?? app.run_as, app };
}

export async function serveResource(ctx, site, tenant, provider) {
  const rule = resourceRule(tenant, ctx);
  const value = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(ctx.get('authorization'))?.[1];
  if (!value) return bearerError(ctx, 401);
  const key = tenant.keys[value];
  const bearer = key ? bearerOfKey(key) : await bearerOfToken(ctx, tenant, provider, value);
  if (bearer.problem?.status === 401) return bearerError(ctx, 401, 'invalid_token', bearer.problem.text);
  if (bearer.problem) return jsonError(ctx, 403, 'access_denied', bearer.problem.text);
  if (!bearer.scopes.includes(rule.scope)) {
    return bearerError(ctx, 403, 'insufficient_scope', 'the token lacks a scope', `, scope="${rule.scope}"`);
  }
  if (rule.permission && !site.users[bearer.user]?.permissions.includes(rule.permission)) {
    return jsonError(ctx, 403, 'forbidden', `user ${bearer.user} has no permission ${rule.permission}`);
  }
  const app = bearer.app?.client_id ?? 'api-key';
  tenant.audit.push({ at: new Date().toISOString(), user: bearer.user, app, action: `${ctx.method} ${ctx.path}` });
  ctx.body = rule.body();
  return undefined;
}
