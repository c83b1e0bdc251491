#!/usr/bin/env node
// SPDX-License-Identifier: MIT
//
// keyring-control.mjs lock | unlock [PASSWORD] | locked | kill | start [PASSWORD]
//
// Acts on the login keyring of the session it runs in (keyring-session.sh). `locked` prints true or
// false; `kill` ends the daemon as a crash would; `start` brings a new one up on the same keyring.
// Exit status 0, or 1 with a message. The functions take the session's environment.
//
// Locking goes over D-Bus. Unlocking speaks to the daemon's control socket as the PAM module does,
// for `gnome-keyring-daemon --unlock` beside a running daemon starts another one.

import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
export const PASSWORD = 'password';
const NAME = 'org.freedesktop.secrets';
const SERVICE = '/org/freedesktop/secrets';
const LOGIN = '/org/freedesktop/secrets/collection/login';
const OP_UNLOCK = 1;

async function send(env, destination, ...message) {
  const options = ['--session', '--print-reply=literal', '--reply-timeout=5000', `--dest=${destination}`];
  const { stdout } = await run('dbus-send', [...options, ...message], { env });
  return stdout.trim().split(/\s+/).at(-1);
}

const owned = async (env) => await send(env, 'org.freedesktop.DBus', '/', 'org.freedesktop.DBus.NameHasOwner', `string:${NAME}`) === 'true';

async function until(condition, what) {
  for (let tries = 0; tries < 500; tries += 1) {
    if (await condition()) return;
    await pause(20);
  }
  throw new Error(`gave up waiting: ${what}`);
}

export async function lock(env = process.env) {
  await send(env, NAME, SERVICE, 'org.freedesktop.Secret.Service.Lock', `array:objpath:${LOGIN}`);
}

export async function locked(env = process.env) {
  const property = ['org.freedesktop.DBus.Properties.Get', 'string:org.freedesktop.Secret.Collection', 'string:Locked'];
  return await send(env, NAME, LOGIN, ...property) === 'true';
}

// Request: a byte that carries the credentials, then length, operation, password; numbers big-endian.
function unlockRequest(password) {
  const bytes = Buffer.from(password);
  const head = Buffer.alloc(13);
  [12 + bytes.length, OP_UNLOCK, bytes.length].forEach((number, i) => head.writeUInt32BE(number, 1 + 4 * i));
  return Buffer.concat([head, bytes]);
}

export async function unlock(env = process.env, password = PASSWORD) {
  const socket = net.connect(path.join(env.XDG_RUNTIME_DIR, 'keyring', 'control'));
  let reply = Buffer.alloc(0);
  socket.write(unlockRequest(password));
  for await (const chunk of socket) {
    reply = Buffer.concat([reply, chunk]);
    if (reply.length >= 8) break;
  }
  if (reply.length < 8 || reply.readUInt32BE(4) !== 0) throw new Error('the daemon refused to unlock: wrong password?');
}

// Who owns the name now: not the daemon of the beginning if it was killed and started anew.
const daemonPid = async (env) => Number(await send(
  env, 'org.freedesktop.DBus', '/', 'org.freedesktop.DBus.GetConnectionUnixProcessID', `string:${NAME}`,
));

export async function kill(env = process.env) {
  process.kill(await daemonPid(env), 'SIGKILL');
  await until(async () => !await owned(env), 'the daemon to go');
}

// The daemon ends with its bus, so nobody has to wait for it.
export async function start(env = process.env, password = PASSWORD) {
  const log = fs.openSync(env.KEYRING_LOG, 'a');
  const daemon = spawn('gnome-keyring-daemon', ['--foreground', '--unlock', '--components=secrets'], {
    env, stdio: ['pipe', log, log], detached: true,
  });
  fs.closeSync(log);
  daemon.stdin.end(password);
  daemon.unref();
  await until(() => owned(env), 'the daemon to come');
}

const commands = {
  lock, unlock, kill, start, locked: async (env) => process.stdout.write(`${await locked(env)}\n`),
};

if (import.meta.url === pathToFileURL(fs.realpathSync(process.argv[1] ?? '')).href) {
  const [name, password] = process.argv.slice(2);
  if (!Object.hasOwn(commands, name ?? '')) {
    console.error('usage: keyring-control.mjs lock | unlock [PASSWORD] | locked | kill | start [PASSWORD]');
    process.exit(2);
  }
  try {
    await commands[name](process.env, password);
  } catch (error) {
    console.error(`keyring-control: ${error.message}`);
    process.exitCode = 1;
  }
}
