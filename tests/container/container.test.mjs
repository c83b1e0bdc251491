// SPDX-License-Identifier: MIT
//
// The README's container in a real root ($CONTAINER_ROOT): entered by chroot(2) in a mount namespace of its own, without a bus and without
// /run/user, where add_key, request_key and keyctl are refused. `make container` runs it.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BUILD, SOURCE, compile } from '../e2e/lib/builds.mjs';
import { inNamespace } from '../e2e/lib/confined.mjs';
import { block } from '../e2e/lib/readme.mjs';
import { World } from '../e2e/lib/world.mjs';
import { MACHINE } from '../servers/fixtures.mjs';

const ROOT = process.env.CONTAINER_ROOT;
const NAME = 'nightly';

describe('in a container', { skip: !ROOT && 'make container makes the root' }, () => {
  let world;
  let launcher;
  before(async () => {
    world = await World.create({ keyring: 'nobus' });
    launcher = path.join(world.dir, 'bin/launcher');
    await compile('-static', '-O', '-D_GNU_SOURCE', '-o', launcher, fileURLToPath(new URL('../e2e/lib/launcher.c', import.meta.url)));
    const accounts = path.join(world.dir, 'container/ringbearer/accounts');
    fs.mkdirSync(accounts, { recursive: true, mode: 0o700 });
    fs.writeFileSync(path.join(accounts, NAME), block('container').replace('tenant = acme', `tenant = ${world.host('a')}\nca_file = /etc/ringbearer/ca.pem`)
      .replace('YOUR_CLIENT_ID', MACHINE.client_id), { mode: 0o600 });
  });
  after(() => world?.close());

  // Each call a container of its own; all of them share one /dev/shm, as the containers of a pod can.
  function inside(deny, ...words) {
    const bound = [...new Set([BUILD, SOURCE])].map((folder) => `mkdir -p "$R${folder}"; mount --bind "${folder}" "$R${folder}"; mount -o remount,bind,ro "$R${folder}"`);
    const script = `R=/mnt
      mount --bind "${ROOT}" $R
      mount -t tmpfs tmpfs $R/tmp; mount -t tmpfs tmpfs $R/run; mount --bind "${world.dir}/container" $R/root; mount -t proc proc $R/proc
      mount --rbind /dev $R/dev
      ${bound.join('\n')}
      mkdir -p $R/etc/ringbearer; mount -t tmpfs tmpfs $R/etc/ringbearer; mkdir $R/run/secrets
      cp "${world.caFile}" $R/etc/ringbearer/ca.pem; cp "${launcher}" $R/run/launcher
      printf %s "${MACHINE.client_secret}" >$R/run/secrets/${NAME}.client_secret
      exec chroot $R env -i PATH=/usr/bin:/bin XDG_CONFIG_HOME=/root RINGBEARER_MODULE_DIR="${BUILD}/helper/modules/.libs" \\
        RINGBEARER_PROVIDER_DIR="${SOURCE}/helper/providers" /run/launcher deny ${deny} "$@"`;
    const [file, ...rest] = inNamespace(script, world.program, ...words);
    return world.exec(file, rest, { timeout: 20000 });
  }

  for (const [error, number] of Object.entries({ EPERM: 1, ENOSYS: 38 })) {
    test(`where keys are refused (${error}), two calls are one request`, async () => {
      const before = await world.control.count('client_credentials');
      for (let i = 0; i < 2; i += 1) {
        const { code, stdout, stderr } = await inside(number, 'token', NAME);
        assert.deepEqual([code, stderr], [0, '']);
        assert.equal((await world.api('/rest/v2/segments', stdout.trim())).status, 200);
      }
      assert.equal(await world.control.count('client_credentials') - before, 1);
      assert.match((await inside(number, 'list')).stdout, /^nightly .* valid for /m);
      await inside(number, 'erase', `--account=${NAME}`);
    });
  }
});
