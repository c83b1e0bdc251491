// SPDX-License-Identifier: MIT
//
// Programs that do a part of the same work, set up to answer the same secret: a peer that is not
// installed, or cannot be set up, is named with the reason and not measured.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { writeMessage } from '../e2e/lib/message.mjs';
import { oidcAgent } from './oidc-agent.mjs';

const PLACE = { protocol: 'https', host: 'bench.example', username: 'bench' };
const LIBSECRET_SOURCES = [
  '/usr/share/doc/git/contrib/credential/libsecret', '/usr/share/git/credential/libsecret',
  '/usr/share/git-core/contrib/credential/libsecret',
].map((directory) => path.join(directory, 'git-credential-libsecret.c'));

export function find(name) {
  for (const directory of process.env.PATH.split(':')) {
    const file = path.join(directory, name);
    if (fs.existsSync(file)) return file;
  }
  throw new Error(`${name} is not installed`);
}

const output = (file, args) => execFileSync(file, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
const inGit = (name) => path.join(output(find('git'), ['--exec-path']), name);

async function must(world, argv, input) {
  const { code, stderr } = await world.exec(argv[0], argv.slice(1), { input, timeout: 20000 });
  if (code !== 0) throw new Error(`${path.basename(argv[0])}: exit status ${code}: ${stderr.trim()}`);
}

// git's helpers are started without git and its shell around them: less than git itself pays.
async function gitHelper(world, secret, argv) {
  await must(world, [...argv, 'store'], writeMessage({ ...PLACE, password: secret }));
  return { argv: [...argv, 'get'], input: writeMessage(PLACE), expect: `password=${secret}` };
}

async function credentialCache(world, secret) {
  const program = inGit('git-credential-cache');
  if (!fs.existsSync(program)) throw new Error('this git has no git-credential-cache');
  const directory = path.join(world.dir, 'credential-cache');
  fs.mkdirSync(directory, { mode: 0o700 });
  return gitHelper(world, secret, [program, `--socket=${directory}/socket`, '--timeout=86400']);
}

// As git's Makefile for it would.
function compiledLibsecret(world) {
  const installed = inGit('git-credential-libsecret');
  if (fs.existsSync(installed)) return installed;
  const source = LIBSECRET_SOURCES.find((file) => fs.existsSync(file));
  if (!source) throw new Error('git-credential-libsecret is not installed, nor its source');
  const program = path.join(world.dir, 'git-credential-libsecret');
  const flags = output(find('pkg-config'), ['--cflags', '--libs', 'libsecret-1', 'glib-2.0']).split(/\s+/);
  output(find('cc'), ['-O2', '-o', program, source, ...flags]);
  return program;
}

const credentialLibsecret = async (world, secret) => gitHelper(world, secret, [compiledLibsecret(world)]);

async function secretTool(world, secret) {
  const program = find('secret-tool');
  const attributes = ['service', 'ringbearer-bench'];
  await must(world, [program, 'store', '--label=ringbearer bench', ...attributes], secret);
  return { argv: [program, 'lookup', ...attributes], expect: secret };
}

const all = {
  'git credential-cache get': credentialCache,
  'oidc-token': (world) => oidcAgent(world, find),
  'git-credential-libsecret get': credentialLibsecret,
  'secret-tool lookup': secretTool,
};

// { commands, skipped: [{ name, reason }] }
export async function preparePeers(world, secret) {
  const commands = [];
  const skipped = [];
  for (const [name, setUp] of Object.entries(all)) {
    try {
      commands.push({ name, ...await setUp(world, secret) });
    } catch (error) {
      skipped.push({ name, reason: error.message.split('\n')[0] });
    }
  }
  return { commands, skipped };
}
