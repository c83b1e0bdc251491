// SPDX-License-Identifier: MIT
//
// The state behind the servers. A Site holds two tenants, the people and the token lifetimes; a
// Tenant holds its applications, keys, stored tokens, open faults, counters and logs.
// Everything is in memory and goes back to the fixtures with reset().

import net from 'node:net';
import * as fixtures from './fixtures.mjs';

const LOG_LIMIT = 1000;
export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

const PATHS = {
  a: {
    authorization: '/rest/v2/oauth/authorize', token: '/rest/v2/oauth/token',
    revocation: '/rest/v2/oauth/revoke', jwks: '/rest/v2/oauth/jwks',
  },
  b: {
    authorization: '/oauth2/auth', token: '/oauth2/token', revocation: '/oauth2/revoke',
    introspection: '/oauth2/introspect',
    device_authorization: '/oauth2/device/auth', code_verification: '/device',
    jwks: '/.well-known/jwks.json', userinfo: '/userinfo',
  },
};
const SCOPES = {
  a: ['read:segments', 'read:interactions'],
  b: ['openid', 'offline_access', 'devices:read', 'devices:write'],
};

export class Site {
  constructor(settings) {
    this.settings = settings;
    this.tenants = { a: new Tenant('a', settings), b: new Tenant('b', settings) };
    this.reset();
  }

  reset() {
    this.ttl = { ...this.settings.ttl };
    this.users = fixtures.users();
    this.sunk = []; // requests that followed an injected redirect
    for (const tenant of Object.values(this.tenants)) tenant.reset();
  }
}

export class Tenant {
  #queue = Promise.resolve();

  constructor(id, settings) {
    this.id = id;
    this.settings = settings;
    this.paths = PATHS[id];
    this.scopes = SCOPES[id];
  }

  reset() {
    this.apps = new Map(fixtures.applications[this.id]().map(
      (app) => [app.client_id, { status: 'ON', ip_ranges: [], ...app }],
    ));
    this.keys = fixtures.apiKeys[this.id]();
    this.models = new Map(); // model name -> Map(id -> entry), see storage.mjs
    this.rotation = { mode: 'always', grace: 0 }; // mode: always | never | alternate
    this.refreshes = 0;
    this.faults = [];
    this.counts = {};
    this.log = [];
    this.audit = [];
  }

  // The provider's view of an application. One that is switched OFF does not exist for it.
  clientMetadata(id) {
    const app = this.apps.get(id);
    if (app?.status !== 'ON') return undefined;
    return {
      client_id: app.client_id,
      client_name: app.name,
      client_secret: app.client_secret,
      client_uri: app.website,
      token_endpoint_auth_method: this.id === 'a' ? 'client_secret_post' : app.auth,
      application_type: app.native ? 'native' : 'web',
      scope: app.scopes.join(' '),
      ...this.#flow(app),
    };
  }

  #flow(app) {
    if (this.id === 'a' && app.flow === 'client_credentials') {
      return { grant_types: ['client_credentials'], response_types: [], redirect_uris: [] };
    }
    const grants = ['authorization_code', 'refresh_token'];
    if (this.id === 'b') grants.push(DEVICE_GRANT);
    return { grant_types: grants, response_types: ['code'], redirect_uris: app.redirect_uris };
  }

  // `ip_ranges` holds addresses, address/prefix or first-last; an empty list allows everybody.
  addressAllowed(app, remote) {
    if (!app?.ip_ranges?.length) return true;
    const list = new net.BlockList();
    for (const range of app.ip_ranges) {
      const [start, last] = range.split('-');
      const [address, prefix] = start.split('/');
      const family = net.isIPv6(address) ? 'ipv6' : 'ipv4';
      if (last) list.addRange(address, last, family);
      else if (prefix) list.addSubnet(address, Number(prefix), family);
      else list.addAddress(address, family);
    }
    const address = remote.replace(/^::ffff:/, '');
    return list.check(address, net.isIPv6(address) ? 'ipv6' : 'ipv4');
  }

  // Asked once for each refresh; a fault may override the answer for one request.
  rotates() {
    this.refreshes += 1;
    if (this.rotation.mode === 'alternate') return this.refreshes % 2 === 1;
    return this.rotation.mode !== 'never';
  }

  count(key, succeeded) {
    const counter = this.counts[key] ??= { total: 0, ok: 0, error: 0 };
    counter.total += 1;
    counter[succeeded ? 'ok' : 'error'] += 1;
  }

  record(entry) {
    this.log.push(entry);
    if (this.log.length > LOG_LIMIT) this.log.shift();
  }

  // Runs `work` alone, so that of two simultaneous refreshes the second is always a reuse.
  alone(work) {
    if (!this.settings.serialize) return work();
    const turn = this.#queue.then(work, work);
    this.#queue = turn.catch(() => {});
    return turn;
  }

  // Ends every stored token of these kinds now; answers how many there were.
  expire(kinds) {
    const past = Math.floor(Date.now() / 1000) - 1;
    let expired = 0;
    for (const kind of kinds) {
      for (const { payload } of this.models.get(kind)?.values() ?? []) {
        payload.exp = past;
        expired += 1;
      }
    }
    return expired;
  }

  // As if every person had withdrawn every authorization.
  withdrawGrants() {
    for (const model of ['Grant', 'AccessToken', 'RefreshToken', 'AuthorizationCode']) this.models.get(model)?.clear();
  }
}
