// SPDX-License-Identifier: MIT
//
// Secrets in etcd: the suite, against three nodes with TLS and client certificates, and against one with users and passwords.
// What befalls a cluster is in faults/etcd.test.mjs.

import fs from 'node:fs';
import path from 'node:path';
import { after } from 'node:test';
import { Etcd, MACHINE, etcdMissing } from '../servers/etcd.mjs';
import { sharedSuite } from './suite/shared.mjs';
import { modules } from './suite/machine.mjs';
import { storeSuite } from './suite/suite.mjs';

const missing = !fs.existsSync(path.join(modules, 'store-etcd.so')) ? 'this build has no libsodium' : etcdMissing();
const clusters = missing ? [] : await Promise.all([Etcd.start({ nodes: 3 }), Etcd.start({ users: true, clientCertificates: false })]);
const [three, users] = clusters;
after(() => Promise.all(clusters.map((etcd) => etcd.stop())));

const LOCAL = { store_local: 'file' };

function described(name, etcd, keys, prepare) {
  return {
    name,
    skip: missing,
    keys: { ...etcd?.keys, ...LOCAL, ...keys },
    world: { keyring: 'nobus' },
    async open(world) {
      world.account('local', { provider: 'oauth2', grant: 'api_key', client_id: 'x', match: 'https://x.example.test/', ...etcd.keys, ...LOCAL });
      world.account('here', { provider: 'oauth2', grant: 'api_key', client_id: 'x', match: 'https://y.example.test/', store: 'file' });
      await world.must(['store', 'init', 'here']);
      await world.must(['seal', 'new', 'local']);
      return prepare(world);
    },
  };
}

storeSuite(described('etcd, of three nodes', three, {}, () => ({
  vanish: () => Promise.all(three.nodes.map((node) => node.kill())),
  come: async () => {
    await Promise.all(three.nodes.map((node) => node.start()));
    await three.leader();
  },
})));

storeSuite(described('etcd, with users', users, {}, async (world) => {
  await world.must(['seal', 'password', 'local'], { input: `${MACHINE.password}\n` });
  return {};
}));

sharedSuite({ name: 'etcd', skip: missing, keys: three?.keys });
