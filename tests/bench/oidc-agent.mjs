// SPDX-License-Identifier: MIT
//
// oidc-agent with an account at tenant b: a person consents in the test browser, oidc-gen is given
// the refresh token. The agent is private to the world, which ends it.

import fs from 'node:fs';
import path from 'node:path';
import { FIELD_SERVICE } from '../servers/fixtures.mjs';
import { consent, tokenB } from '../e2e/lib/flows.mjs';

const ACCOUNT = 'bench';
const SCOPE = 'openid offline_access devices:read';

async function refreshToken(world) {
  const { code, redirect_uri, verifier } = await consent(world, 'b', FIELD_SERVICE, { scope: SCOPE });
  const { json } = await tokenB(world, FIELD_SERVICE, { grant_type: 'authorization_code', code, redirect_uri, code_verifier: verifier });
  return json.refresh_token;
}

async function must(world, env, file, args) {
  const { code, stdout, stderr } = await world.exec(file, args, { env, timeout: 20000 });
  if (code !== 0) throw new Error(`${path.basename(file)}: exit status ${code}: ${stderr.trim()}`);
  return stdout;
}

export async function oidcAgent(world, find) {
  const [agent, generator, client] = ['oidc-agent', 'oidc-gen', 'oidc-token'].map(find);
  const directory = path.join(world.dir, 'oidc-agent');
  fs.mkdirSync(directory, { mode: 0o700 });
  const env = { OIDC_CONFIG_DIR: directory, OIDC_SOCK: path.join(directory, 'socket') };
  await must(world, env, agent, ['--json', '--socket-path', env.OIDC_SOCK]);
  const secrets = { OIDC_ENCRYPTION_PW: 'benchmark', OIDC_REFRESH_TOKEN: await refreshToken(world) };
  await must(world, { ...env, ...secrets }, generator, [
    '--manual', `--issuer=${world.urls.b}/`, `--client-id=${FIELD_SERVICE.client_id}`, `--client-secret=${FIELD_SERVICE.client_secret}`,
    `--cert-path=${world.caFile}`, '--refresh-token-env', '--pw-env', '--prompt=none', '--confirm-default',
    '--redirect-uri=http://localhost:8765', `--scope=${SCOPE}`, ACCOUNT,
  ]);
  const token = (await must(world, env, client, [ACCOUNT])).trim();
  const { status } = await world.api('/v1/devices', token);
  if (status !== 200) throw new Error('the service refuses the token that oidc-token gave');
  return { argv: [client, ACCOUNT], expect: token, env };
}
