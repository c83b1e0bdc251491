// SPDX-License-Identifier: MIT
//
// A cluster of etcd on loopback, from the machine's own etcd: peers and clients with TLS of an authority of its own, free ports,
// data in memory where there is a place for them. Its nodes end with the test, however that ends.
//
//     const etcd = await Etcd.start({ nodes: 3 });
//     world.account('a', { ...etcd.keys, … });       // store = etcd, its endpoints and certificates
//     const leader = await etcd.leader();            // a node
//     await leader.kill(); leader.pause(); leader.resume(); await leader.start(); await leader.up();
//     await etcd.call('/v3/kv/range', { key: base64('/ringbearer/'), range_end: base64('/ringbearer0') });
//     await etcd.stop();
//
// Options: nodes (1 or 3), tls (false: http, for one node), clientCertificates (true: etcd wants one of clients; the default with
// TLS), users (true: etcd wants user and password: root/root-password, and machine/machine-password, who may use /ringbearer/
// alone), quota (bytes), extra (arguments), gateway (false: none of its JSON is to be had, and it is not asked).

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ready, start, stop } from '../e2e/lib/processes.mjs';
import { until } from '../e2e/lib/until.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const PREFIX = '/ringbearer/';
export const MACHINE = { user: 'machine', password: 'machine-password' };
const ROOT = { user: 'root', password: 'root-password' };
export const base64 = (text) => Buffer.from(text).toString('base64');
const fromBase64 = (text) => Buffer.from(text, 'base64').toString();

// Why there can be no cluster here; or false.
export function etcdMissing() {
  for (const program of ['etcd', 'openssl']) {
    try {
      execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'pipe' });
    } catch {
      return `${program} is missing`;
    }
  }
  return false;
}

// Ports that are free at the moment.
async function freePorts(count) {
  const servers = await Promise.all(Array.from({ length: count }, () => new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(server));
  })));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => { server.close(resolve); })));
  return ports;
}

class Node {
  constructor(cluster, name, client, peer) {
    Object.assign(this, { cluster, name, client, peer, running: false });
  }

  get url() { return `${this.cluster.scheme}://127.0.0.1:${this.client}`; }
  get peerUrl() { return `${this.cluster.scheme}://127.0.0.1:${this.peer}`; }

  // Starts it, with the data that it had. It answers once it has found enough others: up().
  async start() {
    const { cluster } = this;
    const log = fs.openSync(path.join(cluster.dir, `${this.name}.log`), 'a');
    const child = start(path.join(HERE, 'etcd-node.sh'), [
      '--name', this.name, '--data-dir', path.join(cluster.dir, this.name), '--logger', 'zap', '--log-outputs', 'stderr',
      '--bcrypt-cost', '4', '--heartbeat-interval', '50', '--election-timeout', '500', '--quota-backend-bytes', String(cluster.quota),
      '--listen-client-urls', this.url, '--advertise-client-urls', this.url,
      '--listen-peer-urls', this.peerUrl, '--initial-advertise-peer-urls', this.peerUrl,
      '--initial-cluster', cluster.nodes.map((node) => `${node.name}=${node.peerUrl}`).join(','),
      ...cluster.options,
    ], { env: { PATH: process.env.PATH }, stdio: ['pipe', 'pipe', log] });
    fs.closeSync(log);
    this.child = child;
    this.pid = Number(await ready(child, `etcd's node ${this.name}`));
    this.running = true;
  }

  signal(name) { process.kill(this.pid, name); }
  pause() { this.signal('SIGSTOP'); }
  resume() { this.signal('SIGCONT'); }

  // Dead at once; its data stay.
  async kill() {
    this.running = false;
    this.signal('SIGKILL');
    await stop(this.child);
  }

  async status() {
    return this.cluster.callAt(this, '/v3/maintenance/status', {});
  }

  // Waits until somebody can connect.
  listens() {
    return until(() => new Promise((resolve) => {
      const socket = net.connect(this.client, '127.0.0.1', () => { socket.destroy(); resolve(true); });
      socket.on('error', () => resolve(false));
    }), `etcd's node ${this.name} listens`, { step: 50 });
  }

  // Waits until it answers and knows a leader.
  up() {
    return until(() => this.status().then(({ leader }) => leader, () => undefined), `etcd's node ${this.name} is up`, { step: 50, patience: 30000 });
  }
}

export class Etcd {
  static async start({ nodes = 1, tls = true, clientCertificates = tls, users = false, quota = 0, gateway = true, extra = [] } = {}) {
    const etcd = new Etcd();
    const shm = '/dev/shm';
    const memory = fs.existsSync(shm) && fs.statfsSync(shm).bavail * fs.statfsSync(shm).bsize > 1e9;
    etcd.dir = fs.mkdtempSync(path.join(memory ? shm : os.tmpdir(), 'rbe-'));
    process.on('exit', () => fs.rmSync(etcd.dir, { recursive: true, force: true }));
    Object.assign(etcd, { scheme: tls ? 'https' : 'http', tls, quota, users: false });
    const file = (name) => path.join(etcd.dir, 'pki', name);
    etcd.options = [...extra];
    if (tls) {
      execFileSync(path.join(HERE, 'etcd-certificates.sh'), [path.join(etcd.dir, 'pki')], { stdio: ['ignore', 'ignore', 'inherit'] });
      for (const side of ['', 'peer-']) {
        etcd.options.push(`--${side}cert-file`, file('node.pem'), `--${side}key-file`, file('node.key'));
        if (side || clientCertificates) etcd.options.push(`--${side}trusted-ca-file`, file('ca.pem'), `--${side}client-cert-auth`);
      }
      etcd.agent = { ca: fs.readFileSync(file('ca.pem')), cert: fs.readFileSync(file('client.pem')), key: fs.readFileSync(file('client.key')) };
    }
    etcd.file = file;
    etcd.clientCertificates = clientCertificates;
    const ports = await freePorts(2 * nodes);
    etcd.nodes = Array.from({ length: nodes }, (_, i) => new Node(etcd, 'abc'[i], ports[2 * i], ports[2 * i + 1]));
    try {
      await Promise.all(etcd.nodes.map((node) => node.start()));
      if (gateway) await etcd.leader();
      else await etcd.nodes[0].listens();
      if (users) await etcd.addUsers();
    } catch (error) {
      await etcd.stop();
      throw error;
    }
    return etcd;
  }

  // Account keys that choose it.
  get keys() {
    return {
      store: 'etcd',
      store_endpoint: this.nodes.map((node) => node.url),
      ...(this.tls ? { store_ca_file: this.file('ca.pem') } : {}),
      ...(this.clientCertificates ? { store_certificate: this.file('client.pem'), store_certificate_key: this.file('client.key') } : {}),
      ...(this.users ? { store_user: MACHINE.user } : {}),
    };
  }

  // Asks one node; the answer of any status, with `status` in it.
  callAt(node, where, body, timeout = 5000) {
    const { request } = this.tls ? https : http;
    return new Promise((resolve, reject) => {
      const sent = request(`${node.url}${where}`, { method: 'POST', ...this.agent, timeout, headers: this.token ? { authorization: this.token } : {} }, (reply) => {
        let text = '';
        reply.on('data', (chunk) => { text += chunk; });
        reply.on('end', () => resolve({ ...JSON.parse(text), status: reply.statusCode }));
        reply.on('error', reject);
      });
      sent.on('timeout', () => sent.destroy(new Error(`${node.name} does not answer`)));
      sent.on('error', reject);
      sent.end(JSON.stringify(body));
    });
  }

  // Asks the first that answers well; or the first that answers at all.
  async call(where, body, whatever = false) {
    let last;
    for (const node of this.nodes.filter((each) => each.running)) {
      try {
        last = await this.callAt(node, where, body);
        if (whatever || last.status === 200) return last;
      } catch (error) {
        last = error;
      }
    }
    throw last instanceof Error ? last : new Error(JSON.stringify(last));
  }

  // The node that leads, once all of those that run agree on one.
  leader() {
    return until(async () => {
      const running = this.nodes.filter((node) => node.running);
      const all = await Promise.all(running.map((node) => this.callAt(node, '/v3/maintenance/status', {}, 500).catch(() => undefined)));
      const answers = all.filter(Boolean);
      const leaders = new Set(answers.map((answer) => answer.leader ?? ''));
      if (answers.length * 2 <= this.nodes.length || leaders.size !== 1 || leaders.has('')) return undefined;
      return running[all.findIndex((answer) => answer && answer.header.member_id === answer.leader)];
    }, 'etcd has a leader', { step: 50, patience: 30000 });
  }

  // All keys below the prefix with what is in them, and the revisions: { key: { value, mod, lease } }.
  async dump(prefix = PREFIX) {
    const end = `${prefix.slice(0, -1)}0`;
    const { kvs = [] } = await this.call('/v3/kv/range', { key: base64(prefix), range_end: base64(end) });
    return Object.fromEntries(kvs.map(({ key, value = '', mod_revision: mod, lease }) => [fromBase64(key), { value: Buffer.from(value, 'base64'), mod: Number(mod), lease }]));
  }

  // As if the lease of whoever has one had run out.
  async endLeases() {
    const held = Object.entries(await this.dump()).filter(([key]) => key.endsWith('/lease'));
    for (const [, { lease }] of held) await this.call('/v3/lease/revoke', { ID: lease });
  }

  put(key, value) { return this.call('/v3/kv/put', { key: base64(key), value: Buffer.from(value).toString('base64') }); }

  async addUsers() {
    const must = async (where, body) => assert.equal((await this.call(`/v3/auth/${where}`, body)).status, 200);
    for (const { user, password } of [ROOT, MACHINE]) await must('user/add', { name: user, password });
    await must('role/add', { name: 'root' });
    await must('user/grant', { user: 'root', role: 'root' });
    await must('role/add', { name: 'machines' });
    await must('role/grant', { name: 'machines', perm: { permType: 'READWRITE', key: base64(PREFIX), range_end: base64(`${PREFIX.slice(0, -1)}0`) } });
    await must('user/grant', { user: MACHINE.user, role: 'machines' });
    await must('enable', {});
    this.users = true;
    this.token = (await this.call('/v3/auth/authenticate', { name: ROOT.user, password: ROOT.password })).token;
  }

  // As if its disk were full; and that it is not any more.
  fill() { return this.#alarm('ACTIVATE'); }
  relieve() { return this.#alarm('DEACTIVATE'); }

  async #alarm(action) {
    const { header } = await this.call('/v3/maintenance/status', {});
    this.full = action === 'ACTIVATE' ? header.member_id : this.full;
    await this.call('/v3/maintenance/alarm', { action, alarm: 'NOSPACE', memberID: this.full });
  }

  async stop() {
    await Promise.all(this.nodes.map((node) => node.child && stop(node.child)));
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}
