// SPDX-License-Identifier: MIT
//
// Accounts that tests make, and their traces in the kernel's keyring. That keyring belongs to the
// user and not to a world: each test file has account names of its own and clears up behind it.

import fs from 'node:fs';
import path from 'node:path';
import { MACHINE } from '../../servers/fixtures.mjs';
import { TOKEN_PATH } from './flows.mjs';

const folder = (world) => path.join(world.env.XDG_CONFIG_HOME, 'ringbearer', 'accounts');
export const accountFile = (world, name) => path.join(folder(world), name);

// A client credentials account of the provider `oauth2`, at any listener.
export function addGeneric(world, name, { listener = 'a', client = MACHINE, ...extra } = {}) {
  const tenant = listener.startsWith('b') ? 'b' : 'a';
  const keys = {
    provider: 'oauth2', grant: 'client_credentials', token_endpoint: world.urls[listener] + TOKEN_PATH[tenant],
    client_auth: 'client_secret_post', client_id: client.client_id, match: `${world.urls[listener]}/rest/`, ca_file: world.caFile,
  };
  const set = Object.entries({ ...keys, ...extra }).filter(([, value]) => value !== undefined);
  return world.add(name, Object.fromEntries(set), client.client_secret);
}

// Forgets the account's tokens and verdicts.
export const afresh = (world, account) => world.request({ account }, { verb: 'erase' });

// Changes one key of an account file (undefined: drops it).
export function edit(world, name, key, value) {
  const file = accountFile(world, name);
  const lines = fs.readFileSync(file, 'utf8').split('\n').filter((line) => line && !line.startsWith(`${key}=`) && !line.startsWith(`${key} =`));
  fs.writeFileSync(file, `${[...lines, ...(value === undefined ? [] : [`${key} = ${value}`])].join('\n')}\n`, { mode: 0o600 });
}

// Takes the tokens of all accounts out of the kernel's keyring and closes the world.
export async function closeWorld(world) {
  const names = fs.existsSync(folder(world)) ? fs.readdirSync(folder(world)) : [];
  for (const name of names) await afresh(world, name);
  await world.close();
}
