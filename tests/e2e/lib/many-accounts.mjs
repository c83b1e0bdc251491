// SPDX-License-Identifier: MIT
//
// many-accounts.mjs COUNT [LAUNCHER WORD…] - so many accounts with tokens of 4 KB, each asked twice, as whatever user runs this and
// by way of the launcher. Prints what came out as JSON, for tiers.test.mjs to judge; nothing is asserted here.

import fs from 'node:fs';
import path from 'node:path';
import { MACHINE } from '../../servers/fixtures.mjs';
import { readMessage, writeMessage } from './message.mjs';
import { unique } from './small-accounts.mjs';
import { World } from './world.mjs';

const TOKEN_BYTES = 4096;
const [count, ...launch] = process.argv.slice(2);
const world = await World.create({ keyring: 'nobus' });
const names = Array.from({ length: Number(count) }, (_, i) => unique(`many-${i}`));
const ask = async (account, verb = 'get') => {
  const [file, ...words] = [...launch, world.program, verb];
  const result = await world.exec(file, words, { input: writeMessage({ account }) });
  return { ...result, token: readMessage(result.stdout).password };
};

try {
  const secrets = path.join(world.dir, 'secrets');
  fs.mkdirSync(secrets, { mode: 0o700 });
  for (const name of names) {
    fs.writeFileSync(path.join(secrets, `${name}.client_secret`), MACHINE.client_secret, { mode: 0o600 });
    world.account(name, {
      provider: 'blueconic', tenant: world.host('a'), grant: 'client_credentials', client_id: MACHINE.client_id, ca_file: world.caFile,
      store: 'credentials', store_folder: secrets,
    });
  }
  const body = JSON.stringify({ access_token: 'A'.repeat(TOKEN_BYTES), token_type: 'Bearer', expires_in: 3600 });
  await world.control.fault({ kind: 'raw', count: names.length * 2, body });
  const rounds = [];
  for (let round = 0; round < 2; round += 1) {
    const before = await world.control.count('client_credentials');
    const wrong = [];
    for (const name of names) {
      const { code, token, stderr } = await ask(name);
      if (code !== 0 || token?.length !== TOKEN_BYTES || stderr !== '') wrong.push([name, code, stderr]);
    }
    rounds.push({ requests: await world.control.count('client_credentials') - before, wrong });
  }
  process.stdout.write(JSON.stringify({ uid: process.getuid(), rounds }));
} finally {
  for (const name of names) await ask(name, 'erase').catch(() => {});
  await world.close();
}
