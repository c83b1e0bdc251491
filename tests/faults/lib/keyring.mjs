// SPDX-License-Identifier: MIT
//
// What can befall a world's keyring while a token is under way, beyond what its harness does; as shell
// commands where it has to happen at a certain system call.

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

const SERVICE = 'org.freedesktop.secrets';
const dbus = (destination, ...message) => [
  'dbus-send', '--session', '--print-reply=literal', '--reply-timeout=5000', `--dest=${destination}`, ...message,
];

export const LOCK = [...dbus(SERVICE, '/org/freedesktop/secrets', 'org.freedesktop.Secret.Service.Lock'),
  'array:objpath:/org/freedesktop/secrets/collection/login', '>/dev/null'].join(' ');

export async function daemonPid(world) {
  const [file, ...args] = dbus('org.freedesktop.DBus', '/', 'org.freedesktop.DBus.GetConnectionUnixProcessID', `string:${SERVICE}`);
  return Number((await world.exec(file, args)).stdout.trim().split(/\s+/).at(-1));
}

// Ends the bus, and with it the daemon.
export async function killBus(world) {
  const pid = world.busPid ?? Number(world.env.KEYRING_BUS_PID);
  const daemon = await daemonPid(world);
  process.kill(pid, 'SIGKILL');
  for (let tries = 0; tries < 500 && !isGone(daemon); tries += 1) await pause(10);
}

const isGone = (pid) => {
  try {
    return /^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return true;
  }
};

// A new bus at the old address, and a daemon on it that opens the old keyring.
export async function restartBus(world) {
  const socket = `${world.env.XDG_RUNTIME_DIR}/bus`;
  fs.rmSync(socket, { force: true });
  const options = [`--config-file=${world.dir}/bus.conf`, '--nofork', '--nopidfile', '--nosyslog'];
  const bus = spawn('dbus-daemon', options, { env: world.env, stdio: 'ignore' });
  bus.unref();
  world.busPid = bus.pid;
  for (let tries = 0; tries < 500 && !fs.existsSync(socket); tries += 1) await pause(10);
  await world.keyring.start();
}
