// SPDX-License-Identifier: MIT
//
// The control port: plain HTTP on loopback, JSON in and out. `tenant` is "a" (default) or "b",
// in the query of a GET and in the body of a POST.
//
//   GET    /state                  applications, people, lifetimes, counters, open faults
//   GET    /counts                 {grant type | revoke | device | authorize | discovery | api: {total, ok, error}}
//   GET    /log                    the last 1000 requests as they came in, with what went out
//   GET    /audit                  who (run-as user) called which resource
//   GET    /fault-kinds            {before: [...], after: [...]}, see faults.mjs
//   POST   /reset                  back to the fixtures; all tokens are gone
//   POST   /app                    {client_id, status?, scopes?, ip_ranges?, run_as?, redirect_uris?, ...}
//   POST   /regenerate             {client_id} -> {client_secret}
//   POST   /user                   {id, password?, permissions?, scopes?}
//   POST   /key                    {key, scopes?, active?}: an API key, new or changed
//   POST   /ttl                    {access?, refresh?, code?, device?} seconds, for what is issued from now on
//   POST   /rotation               {mode?: always|never|alternate, grace?: seconds}
//   POST   /expire                 {kind?}: AccessToken | ClientCredentials | RefreshToken (all three) end now
//   POST   /withdraw               every authorization of every person is withdrawn
//   POST   /fault                  a fault, or an array of them
//   DELETE /faults                 forgets open faults
//   ANY    /sink                   where the fault "redirect" points; GET /sunk tells what arrived

import { randomBytes } from 'node:crypto';
import { readBody } from './answers.mjs';
import { after, before, known } from './faults.mjs';

const TOKEN_KINDS = ['AccessToken', 'ClientCredentials', 'RefreshToken'];

function appOf(tenant, query) {
  const app = tenant.apps.get(query.client_id);
  if (!app) throw new Error(`no application ${query.client_id}`);
  return app;
}

function addFaults(site, tenant, query) {
  const list = Array.isArray(query) ? query : [query];
  for (const { kind } of list) if (!known(kind)) throw new Error(`no fault kind ${kind}`);
  for (const { tenant: id, ...fault } of list) (site.tenants[id] ?? tenant).faults.push(fault);
  return tenant.faults;
}

function state(site) {
  const tenants = Object.values(site.tenants).map(({ id, apps, keys, counts, faults, rotation }) => [
    id, { apps: [...apps.values()], keys, counts, faults, rotation },
  ]);
  return { ttl: site.ttl, users: site.users, tenants: Object.fromEntries(tenants) };
}

const calls = {
  'GET /state': (site) => state(site),
  'GET /counts': (site, tenant) => tenant.counts,
  'GET /log': (site, tenant) => tenant.log,
  'GET /audit': (site, tenant) => tenant.audit,
  'GET /sunk': (site) => site.sunk,
  'GET /fault-kinds': () => ({ before: Object.keys(before), after: Object.keys(after) }),
  'POST /reset': (site) => site.reset() ?? {},
  'POST /app': (site, tenant, { tenant: _, ...changes }) => Object.assign(appOf(tenant, changes), changes),
  'POST /regenerate': (site, tenant, query) => {
    const app = appOf(tenant, query);
    app.client_secret = `not-a-secret-${randomBytes(12).toString('hex')}`;
    return { client_secret: app.client_secret };
  },
  'POST /user': (site, tenant, { id, tenant: _, ...changes }) => {
    site.users[id] ??= { password: '', permissions: [], scopes: [] };
    return Object.assign(site.users[id], changes);
  },
  'POST /key': (site, tenant, { key, tenant: _, ...changes }) => {
    tenant.keys[key] ??= { scopes: [], active: true };
    return Object.assign(tenant.keys[key], changes);
  },
  'POST /ttl': (site, tenant, { tenant: _, ...changes }) => Object.assign(site.ttl, changes),
  'POST /rotation': (site, tenant, { tenant: _, ...changes }) => Object.assign(tenant.rotation, changes),
  'POST /expire': (site, tenant, { kind }) => ({ expired: tenant.expire(kind ? [kind] : TOKEN_KINDS) }),
  'POST /withdraw': (site, tenant) => tenant.withdrawGrants() ?? {},
  'POST /fault': addFaults,
  'DELETE /faults': (site) => {
    for (const tenant of Object.values(site.tenants)) tenant.faults = [];
    return {};
  },
};

function sink(site, request, body) {
  site.sunk.push({ method: request.method, headers: request.headers, body });
  return { access_token: 'from-the-sink', token_type: 'Bearer', expires_in: 3600 };
}

async function answer(site, request) {
  const url = new URL(request.url, 'http://control');
  const body = await readBody(request);
  if (url.pathname === '/sink') return sink(site, request, body);
  const call = calls[`${request.method} ${url.pathname}`];
  if (!call) throw new Error(`no call ${request.method} ${url.pathname}`);
  const query = body ? JSON.parse(body) : {};
  const tenant = site.tenants[query.tenant ?? url.searchParams.get('tenant') ?? 'a'];
  if (!tenant) throw new Error('no such tenant');
  return call(site, tenant, query);
}

export const controlHandler = (site) => async (request, response) => {
  const say = (status, value) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(`${JSON.stringify(value, null, 1)}\n`);
  };
  try {
    say(200, await answer(site, request));
  } catch (error) {
    say(400, { error: error.message });
  }
};
