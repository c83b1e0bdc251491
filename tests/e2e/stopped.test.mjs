// SPDX-License-Identifier: MIT
//
// A question on the terminal that is interrupted: by Ctrl-Z, by SIGSTOP from elsewhere, with a shell that has jobs around it.
// The shell gets a terminal in order, and afterwards the question is there again and what is typed stays unseen.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { closeWorld } from './lib/accounts.mjs';
import { until } from './lib/login.mjs';
import { start } from './lib/processes.mjs';
import { unique } from './lib/small-accounts.mjs';
import { World } from './lib/world.mjs';

const NAME = unique('stopped');
const PASTED = unique('stopped-paste');
const TYPED = 'made-up-secret-typed-unseen';
const endpoints = { provider: 'oauth2', match: 'https://api.example.com/', token_endpoint: 'https://login.example.com/token' };
let world;

before(async () => {
  world = await World.create({ servers: false });
  await world.add(NAME, { ...endpoints, grant: 'client_credentials', client_id: 'made-up' }, 'first');
  await world.add(PASTED, {
    ...endpoints, grant: 'authorization_code', client_id: 'made-up', client_auth: 'none', redirect_uri: 'https://app.example.com/',
    authorization_endpoint: 'https://login.example.com/auth',
  });
});
after(() => closeWorld(world));

// A shell with jobs on a terminal: { says(pattern), type(text), seen }.
class Shell {
  seen = '';
  #read = 0;

  constructor() {
    this.child = start('script', ['-qefc', 'sh -i', '/dev/null'], { cwd: world.env.HOME, env: { ...world.env, PS1: 'ready> ', ENV: '' } });
    this.child.stdout.on('data', (chunk) => { this.seen += chunk; });
  }

  // Waits for this in what has come since the last time.
  async says(pattern) {
    const found = await until(() => pattern.exec(this.seen.slice(this.#read)), () => `${pattern} in ${JSON.stringify(this.seen)}`);
    this.#read += found.index + found[0].length;
    return found;
  }

  type(text) { this.child.stdin.write(text); }

  async isInOrder() {
    await this.says(/Stopped[^]*ready> $/);
    this.type('stty -a\n');
    await this.says(/-?extproc[^]*ready> $/);
    const text = this.seen.slice(this.seen.lastIndexOf('Stopped'));
    assert.doesNotMatch(text, /-echo\b|-icanon\b|-isig\b/, text);
  }

  async close() { this.child.kill('SIGKILL'); await this.child.ended; }
}

async function inShell(body) {
  const shell = new Shell();
  try {
    await shell.says(/ready> $/);
    await body(shell);
    assert.ok(!shell.seen.includes(TYPED), shell.seen);
  } finally {
    await shell.close();
  }
}

const asking = (what) => world.processes().find((pid) => fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`${what}\0`) && !/^(bash|script|sh)\0/.test(fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8')));

describe('a secret that is asked for', () => {
  const PROMPT = /client secret[^\n]*: $/i;
  test('Ctrl-Z, then fg', () => inShell(async (shell) => {
    shell.type(`${world.program} secret ${NAME}\n`);
    await shell.says(PROMPT);
    shell.type('half of it\x1a');
    await shell.isInOrder();
    shell.type('fg\n');
    await shell.says(PROMPT);
    shell.type(`${TYPED}\n`);
    await shell.says(/secret kept/);
    assert.equal(Buffer.from((await world.exec('secret-tool', ['lookup', 'account', NAME, 'kind', 'client_secret'])).stdout.replace(/^ringbearer1:/, ''), 'base64url').toString(), TYPED);
  }));

  test('SIGSTOP from elsewhere, then fg', () => inShell(async (shell) => {
    shell.type(`${world.program} secret ${NAME}\n`);
    await shell.says(PROMPT);
    process.kill(await until(() => asking(NAME), 'the process'), 'SIGSTOP');
    await shell.says(/Stopped/);
    shell.type('fg\n');
    await shell.says(PROMPT);
    shell.type(`${TYPED}\n`);
    await shell.says(/secret kept/);
  }));

  test('SIGSTOP and SIGCONT, with nobody who would put the terminal back', () => inShell(async (shell) => {
    shell.type(`exec ${world.program} secret ${NAME}\n`);
    await shell.says(PROMPT);
    const pid = await until(() => asking(NAME), 'the process');
    process.kill(pid, 'SIGSTOP');
    await until(() => /^State:\s+T/m.test(fs.readFileSync(`/proc/${pid}/status`, 'utf8')), 'the stop');
    await world.exec('stty', ['-F', fs.readlinkSync(`/proc/${pid}/fd/0`), 'echo']);
    process.kill(pid, 'SIGCONT');
    await shell.says(PROMPT);
    shell.type(`${TYPED}\n`);
    await shell.says(/secret kept/);
  }));
});

test('--paste: Ctrl-Z, then fg', () => inShell(async (shell) => {
  shell.type(`${world.program} login ${PASTED} --paste --no-browser\n`);
  await shell.says(/browser ends at.*: $/);
  shell.type('\x1a');
  await shell.isInOrder();
  shell.type('fg\n');
  await shell.says(/browser ends at.*: $/);
  shell.type(`https://app.example.com/?code=${TYPED}\n`);
  await shell.says(/not the address of this login/);
}));
