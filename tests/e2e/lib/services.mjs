// SPDX-License-Identifier: MIT
//
// What a world runs beside the program under test: the authorization servers with a client for
// their control port, and the private session with its keyring.

import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as keyring from '../../servers/keyring-control.mjs';
import { request } from './http.mjs';
import { ready, start, stop } from './processes.mjs';

const SERVERS = fileURLToPath(new URL('../../servers/', import.meta.url));

// A client of the control port; the calls are explained in tests/servers/control.mjs.
export class Control {
  constructor(url) {
    this.url = url;
  }

  async call(method, where, body) {
    const reply = await request(`${this.url}${where}`, { method, body: body && JSON.stringify(body) });
    if (reply.status !== 200) throw new Error(`${method} ${where}: ${reply.json?.error ?? reply.body}`);
    return reply.json;
  }

  state() { return this.call('GET', '/state'); }
  counts(tenant = 'a') { return this.call('GET', `/counts?tenant=${tenant}`); }
  log(tenant = 'a') { return this.call('GET', `/log?tenant=${tenant}`); }
  audit(tenant = 'a') { return this.call('GET', `/audit?tenant=${tenant}`); }
  sunk() { return this.call('GET', '/sunk'); }
  kinds() { return this.call('GET', '/fault-kinds'); }

  // How many requests of this kind came in: a grant type, revoke, device, authorize, discovery, api.
  async count(kind, tenant = 'a') {
    return (await this.counts(tenant))[kind]?.total ?? 0;
  }

  reset() { return this.call('POST', '/reset', {}); }
  app(changes) { return this.call('POST', '/app', changes); }
  user(changes) { return this.call('POST', '/user', changes); }
  key(changes) { return this.call('POST', '/key', changes); }
  ttl(seconds) { return this.call('POST', '/ttl', seconds); }
  rotation(changes) { return this.call('POST', '/rotation', changes); }
  expire(kind, tenant = 'a') { return this.call('POST', '/expire', { tenant, kind }); }
  withdraw(tenant = 'a') { return this.call('POST', '/withdraw', { tenant }); }
  fault(...faults) { return this.call('POST', '/fault', faults.flat()); }
  clearFaults() { return this.call('DELETE', '/faults'); }

  // Answers the new secret.
  async regenerate(clientId, tenant = 'a') {
    return (await this.call('POST', '/regenerate', { tenant, client_id: clientId })).client_secret;
  }
}

export async function startServers(directory, env) {
  const log = fs.openSync(path.join(directory, 'servers.log'), 'a');
  const child = start(process.execPath, [path.join(SERVERS, 'authorization-server.mjs'), path.join(directory, 'certificates')], {
    env, stdio: ['pipe', 'pipe', log],
  });
  fs.closeSync(log);
  const { pid, ca, urls } = JSON.parse(await ready(child, 'the authorization server'));
  return { pid, urls, caFile: ca, ca: fs.readFileSync(ca), control: new Control(urls.control), stop: () => stop(child) };
}

const KEEPER = fileURLToPath(new URL('session-keeper.sh', import.meta.url));
const FROM_SESSION = /^(HOME|XDG_\w+|DBUS_SESSION_BUS_ADDRESS|KEYRING_\w+)=(.*)$/s;

function sessionEnvironment(directory) {
  const entries = fs.readFileSync(path.join(directory, 'session.env'), 'utf8').split('\0');
  return Object.fromEntries(entries.map((entry) => FROM_SESSION.exec(entry)).filter(Boolean).map(([, name, value]) => [name, value]));
}

export async function startKeyring(directory, mode, { env, activation = false }) {
  const options = ['-m', mode, '-k', directory, ...(activation ? ['-a'] : [])];
  const child = start(path.join(SERVERS, 'keyring-session.sh'), [...options, KEEPER], {
    env, stdio: ['pipe', 'pipe', 'inherit'],
  });
  await ready(child, 'the keyring session');
  const exported = sessionEnvironment(directory);
  const session = { ...env, ...exported };
  return {
    mode,
    env: exported,
    lock: () => keyring.lock(session),
    unlock: (password) => keyring.unlock(session, password),
    locked: () => keyring.locked(session),
    kill: () => keyring.kill(session),
    start: (password) => keyring.start(session, password),
    killBus: () => process.kill(Number(session.KEYRING_BUS_PID), 'SIGKILL'),
    stop: () => stop(child),
  };
}
