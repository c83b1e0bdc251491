// SPDX-License-Identifier: MIT
//
// The real git in a world: with that world's HOME, no configuration of the machine, and a person at the
// prompt who is a program, answers every question alike and writes down that it was asked.

import fs from 'node:fs';
import path from 'node:path';
import { readMessage, writeMessage } from './message.mjs';
import { run } from './processes.mjs';

export const ASKED = 'typed by a person';

// [2, 39] and the like; undefined where git is missing.
export async function gitVersion() {
  const found = await run('git', ['--version'], { env: process.env }).catch(() => undefined);
  return /(\d+)\.(\d+)/.exec(found?.stdout ?? '')?.slice(1).map(Number);
}

export const atLeast = (version, major, minor) => version && (version[0] > major || (version[0] === major && version[1] >= minor));

export class Git {
  constructor(world) {
    this.world = world;
    this.log = path.join(world.dir, 'prompts.log');
    const prompt = path.join(world.dir, 'bin', 'prompt');
    fs.writeFileSync(prompt, `#!/bin/sh\necho "$1" >>'${this.log}'\necho '${ASKED}'\n`, { mode: 0o700 });
    this.env = {
      GIT_CONFIG_NOSYSTEM: '1', GIT_ASKPASS: prompt, GIT_SSL_CAINFO: world.caFile, GIT_AUTHOR_NAME: 'Tester', GIT_AUTHOR_EMAIL: 'tester@example.com',
      GIT_COMMITTER_NAME: 'Tester', GIT_COMMITTER_EMAIL: 'tester@example.com',
    };
  }

  // What was asked since the last call, one line each.
  prompts() {
    const lines = fs.existsSync(this.log) ? fs.readFileSync(this.log, 'utf8').trimEnd().split('\n') : [];
    fs.rmSync(this.log, { force: true });
    return lines;
  }

  run(args, { config = {}, env, ...options } = {}) {
    const settings = Object.entries(config).flatMap(([key, value]) => [value].flat().flatMap((one) => ['-c', `${key}=${one}`]));
    return this.world.exec('git', [...settings, ...args], { ...options, env: { ...this.env, ...env } });
  }

  // git's own three verbs: fill, approve, reject.
  async credential(verb, keys, { config, ...options } = {}) {
    const all = { 'credential.helper': 'ringbearer', ...config };
    const result = await this.run(['credential', verb], { config: all, input: writeMessage(keys), ...options });
    return { ...result, answer: readMessage(result.stdout) };
  }
}

// The helper as git runs it, without git: for what an older git does not say.
export async function helper(world, verb, keys, { options = [], ...rest } = {}) {
  const result = await world.exec('git-credential-ringbearer', [...options, verb], { input: writeMessage(keys), ...rest });
  return { ...result, answer: readMessage(result.stdout) };
}
