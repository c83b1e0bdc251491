// SPDX-License-Identifier: MIT
//
// A systemd user manager of a test's own: it knows the units of one folder and nothing of the user's, and lives in a
// runtime directory of its own. Where this machine was not booted by systemd, it gets a /run of its own that says so.

import fs from 'node:fs';
import path from 'node:path';
import { run, start } from './processes.mjs';
import { until } from './until.mjs';

const MANAGERS = ['/usr/lib/systemd/systemd', '/lib/systemd/systemd'];
const SHIPPED = ['/usr/lib/systemd/user', '/lib/systemd/user'];
const NEEDED = ['basic.target', 'exit.target', 'paths.target', 'shutdown.target', 'sockets.target', 'systemd-exit.service', 'timers.target'];
const BOOTED = 'mount -t tmpfs none /run && mkdir -p /run/systemd/system && mount --make-rshared / && exec "$@"'; // credentials are mounts that must be seen

// `units`: file name -> text. Answers { manager } with systemctl() and stop(), or { reason } why there is none here.
export async function startUserManager(world, units) {
  const program = MANAGERS.find((file) => fs.existsSync(file));
  const shipped = SHIPPED.find((folder) => fs.existsSync(folder));
  if (!program || !shipped) return { reason: 'systemd is missing' };
  const folder = path.join(world.dir, 'units');
  const runtime = path.join(world.dir, 'manager');
  for (const each of [folder, runtime]) fs.mkdirSync(each, { mode: 0o700 });
  for (const name of NEEDED) fs.symlinkSync(path.join(shipped, name), path.join(folder, name));
  for (const [name, text] of Object.entries({ 'default.target': '[Unit]\n', ...units })) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), text);
  }
  const env = { ...world.env, XDG_RUNTIME_DIR: runtime, SYSTEMD_UNIT_PATH: folder, SYSTEMD_GENERATOR_PATH: path.join(world.dir, 'none') };
  const booted = fs.existsSync('/run/systemd/system');
  const words = [program, '--user', '--log-target=console', '--log-level=warning'];
  const child = booted ? start(words[0], words.slice(1), { env, stdio: ['ignore', 'pipe', 'pipe'] })
    : start('unshare', ['--mount', 'sh', '-c', BOOTED, 'sh', ...words], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  let ended = false;
  for (const name of ['stdout', 'stderr']) child[name]?.on('data', (chunk) => { said += chunk; });
  child.ended.then(() => { ended = true; });
  const inside = booted ? [] : ['nsenter', `--mount=/proc/${child.pid}/ns/mnt`];
  const systemctl = (...args) => {
    const [file, ...rest] = [...inside, 'systemctl', '--user', ...args];
    return run(file, rest, { env, timeout: 20000 });
  };
  const manager = {
    folder, runtime, systemctl, said: () => said,
    async stop() {
      if (!ended) child.kill('SIGTERM'); // starts exit.target
      const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
      await child.ended;
      clearTimeout(timer);
    },
  };
  try {
    await until(async () => ended || (await systemctl('is-system-running')).stdout === 'running\n', 'the user manager runs');
  } catch {
    await manager.stop();
  }
  return ended ? { reason: `no user manager can run here: ${said.trim().split('\n').at(-1)}` } : { manager };
}
