// SPDX-License-Identifier: MIT
//
// The attacker is another user of the machine, who can write to a file that decides what runs or whom secrets go to, or
// to a folder above it, or has laid a link on the way: an account, a provider, certificates, a module.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { keyAccount, unique } from '../e2e/lib/small-accounts.mjs';
import { World } from '../e2e/lib/world.mjs';

const OTHER = 4242;
const skip = process.getuid() === 0 ? false : 'needs root, to make files of another user';
let world;
let number = 0;

before(async () => { world = await World.create(); });
after(() => world.close());

// What another user may have done to the FILE in above/folder, and what is said then.
const spoilt = {
  'the file is theirs': [({ file }) => fs.chownSync(file, OTHER, OTHER), /belongs to another user \(4242\)/],
  'the file can be written by all': [({ file }) => fs.chmodSync(file, 0o646), /can be written by others; run `chmod go-w/],
  'the file can be written by a group': [({ file }) => fs.chmodSync(file, 0o664), /can be written by others/],
  'the folder is theirs': [({ folder }) => fs.chownSync(folder, OTHER, OTHER), /\/folder belongs to another user/],
  'the folder can be written by all': [({ folder }) => fs.chmodSync(folder, 0o757), /the folder \S+\/folder can be written by others; run `chmod go-w/],
  'the folder can be written by a group': [({ folder }) => { fs.chownSync(folder, 0, OTHER); fs.chmodSync(folder, 0o775); }, /the folder \S+\/folder can be written by others/],
  'a folder above can be written by all': [({ above }) => fs.chmodSync(above, 0o777), /the folder \S+\/above can be written by others/],
  'a folder above is theirs, and sticky': [({ above }) => { fs.chownSync(above, OTHER, OTHER); fs.chmodSync(above, 0o1755); }, /\/above belongs to another user/],
  'a link of theirs leads to it': [({ file }) => {
    fs.renameSync(file, `${file}.real`);
    fs.symlinkSync(`${file}.real`, file);
    fs.lchownSync(file, OTHER, OTHER);
  }, /belongs to another user/],
  'a link leads to a folder that all can write to': [({ file, above }) => {
    fs.mkdirSync(`${above}/open`);
    fs.chmodSync(`${above}/open`, 0o777);
    fs.renameSync(file, `${above}/open/it`);
    fs.symlinkSync('../open/it', file);
  }, /the folder \S+\/open can be written by others/],
};

// What is as good as ever.
const sound = {
  'the file is not touched': () => {},
  'a link of the user leads to it': ({ file, folder }) => {
    fs.renameSync(file, `${file}.real`);
    fs.symlinkSync(`${folder}/../folder/./${path.basename(file)}.real`, file);
  },
  'a folder above is a link': ({ folder }) => {
    fs.renameSync(folder, `${folder}.real`);
    fs.symlinkSync('folder.real', folder);
  },
  'the folder is sticky': ({ folder }) => fs.chmodSync(folder, 0o1777),
  "the folder can be written by root's group": ({ folder }) => { fs.chownSync(folder, 0, 0); fs.chmodSync(folder, 0o775); },
};

// Puts the file SOURCE into above/folder/NAME of a place of its own.
function place(name, source) {
  number += 1;
  const above = `${world.dir}/${number}/above`;
  const folder = `${above}/folder`;
  fs.mkdirSync(folder, { recursive: true, mode: 0o755 });
  fs.copyFileSync(source, `${folder}/${name}`);
  fs.chmodSync(`${folder}/${name}`, 0o644);
  return { above, folder, file: `${folder}/${name}` };
}

// Each way in which such a file is used: where it is put, and a run that uses it. `used` is how a good run ends.
const kinds = {
  'a module': {
    put: () => place('grant-api-key.so', `${world.env.RINGBEARER_MODULE_DIR}/grant-api-key.so`),
    async use({ folder }) {
      const name = unique(`module-${number}`);
      fs.copyFileSync(`${world.env.RINGBEARER_MODULE_DIR}/store-secret-service.so`, `${folder}/store-secret-service.so`);
      fs.chmodSync(`${folder}/store-secret-service.so`, 0o644);
      world.account(name, keyAccount);
      return world.run(['token', name], { env: { RINGBEARER_MODULE_DIR: folder } });
    },
    used: 4, // there is no such key
  },
  'an account': {
    put: () => {
      const template = world.account('template', keyAccount);
      const put = place('it', template);
      fs.mkdirSync(`${put.folder}/ringbearer/accounts`, { recursive: true });
      fs.symlinkSync(put.file, `${put.folder}/ringbearer/accounts/it`);
      return put;
    },
    use: ({ folder }) => world.run(['show', 'it'], { env: { XDG_CONFIG_HOME: folder } }),
    used: 0,
  },
  'a provider': {
    put: () => place('oauth2', `${world.env.RINGBEARER_PROVIDER_DIR}/oauth2`),
    use({ folder }) {
      world.account('provided', keyAccount);
      return world.run(['show', 'provided'], { env: { RINGBEARER_PROVIDER_DIR: folder } });
    },
    used: 0,
  },
  'a file with certificates': {
    put: () => place('authorities.pem', world.caFile),
    async use({ file }) {
      const name = unique(`certificates-${number}`);
      await world.addClientCredentials(name, { ca_file: file });
      return world.run(['token', name]);
    },
    used: 0,
  },
};

for (const [kind, { put, use, used }] of Object.entries(kinds)) {
  describe(kind, { skip }, () => {
    for (const [what, [spoil, says]] of Object.entries(spoilt))
      test(`is refused where ${what}`, async () => {
        const it = put();
        spoil(it);
        const { code, stdout, stderr } = await use(it);
        assert.equal(code, 7, stderr);
        assert.equal(stdout, '');
        assert.match(stderr, says);
      });

    for (const [what, change] of Object.entries(sound))
      test(`is used where ${what}`, async () => {
        const it = put();
        change(it);
        const { code, stderr } = await use(it);
        assert.equal(code, used, stderr);
      });
  });
}

// A user with a group of the same name and nobody else in it, as most systems make them.
function userWithOwnGroup() {
  const lines = (file) => fs.readFileSync(file, 'utf8').split('\n').filter(Boolean).map((line) => line.split(':'));
  const groups = lines('/etc/group');
  return lines('/etc/passwd').map(([name, , uid, gid]) => ({ name, uid, gid }))
    .find(({ name, uid, gid }) => uid !== '0' && groups.some(([group, , id, members]) => group === name && id === gid && members === ''));
}

test("a folder that the user's own group can write to is trusted, and one of another group is not", { skip }, (t) => {
  const user = userWithOwnGroup();
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'rbg-'));
  const folder = `${home}/ringbearer/accounts`;
  const show = () => spawnSync('setpriv', [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', world.program, 'show', 'it'], { encoding: 'utf8', env: { ...world.env, XDG_CONFIG_HOME: home, HOME: home } });
  try {
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(`${folder}/it`, 'grant = api_key\nmatch = https://api.example.com/\n', { mode: 0o600 });
    for (const one of [home, `${home}/ringbearer`, folder, `${folder}/it`]) fs.chownSync(one, Number(user.uid), Number(user.gid));
    if (show().error || show().status === 126 || /cannot be run|Permission denied/.test(show().stderr)) return t.skip('another user cannot run what was built here');
    fs.chmodSync(folder, 0o775);
    assert.equal(show().status, 0, show().stderr);
    fs.chownSync(folder, Number(user.uid), OTHER);
    assert.equal(show().status, 7);
    assert.match(show().stderr, /can be written by others/);
  } finally {
    fs.rmSync(home, { recursive: true, force: true });
  }
  return undefined;
});
