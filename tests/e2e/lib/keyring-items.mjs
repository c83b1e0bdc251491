// SPDX-License-Identifier: MIT
//
// What is in a world's keyring, as its own tools and its bus tell: nothing of the program under test.

import { setTimeout as pause } from 'node:timers/promises';
import { start } from './processes.mjs';

const NAME = 'org.freedesktop.secrets';
const ITEM = 'org.freedesktop.Secret.Item';

async function call(world, where, ...message) {
  const options = ['--session', '--print-reply', '--reply-timeout=5000', `--dest=${NAME}`];
  for (let tries = 3; ; tries -= 1) {
    const { code, stdout, stderr } = await world.exec('dbus-send', [...options, where, ...message]);
    if (code === 0) return stdout;
    // Seen once in a long while on a busy machine: the daemon's own object without its methods, for a moment.
    if (tries === 0 || !stderr.includes('UnknownMethod')) throw new Error(stderr);
    await pause(50);
  }
}

const strings = (reply) => [...reply.matchAll(/string "(.*)"$/gm)].map(([, text]) => text);
const property = (world, where, name) => call(world, where, 'org.freedesktop.DBus.Properties.Get', `string:${ITEM}`, `string:${name}`);

async function describe(world, where) {
  const words = strings(await property(world, where, 'Attributes'));
  const attributes = Object.fromEntries(words.flatMap((word, i) => (i % 2 ? [] : [[word, words[i + 1]]])));
  return { path: where, attributes, label: strings(await property(world, where, 'Label'))[0] };
}

// The items of an account: { path, label, attributes }, locked ones as well.
export async function itemsOf(world, account) {
  const reply = await call(world, '/org/freedesktop/secrets', 'org.freedesktop.Secret.Service.SearchItems', `dict:string:string:account,${account}`);
  const paths = [...reply.matchAll(/object path "(.*)"/g)].map(([, where]) => where);
  return Promise.all(paths.map((where) => describe(world, where)));
}

const pairs = (attributes) => Object.entries(attributes).flat();

// The stored value, undefined if there is none.
export async function valueOf(world, attributes) {
  const { code, stdout } = await world.exec('secret-tool', ['lookup', ...pairs(attributes)]);
  return code === 0 ? stdout : undefined;
}

// Puts a value there behind the program's back. secret-tool reads no more than 8192 bytes.
export async function putValue(world, attributes, value) {
  const { code, stderr } = await world.exec('secret-tool', ['store', '--label=foreign', ...pairs(attributes)], { input: value });
  if (code !== 0) throw new Error(stderr);
}

// Names of the methods that were called on the Secret Service while WORK went on.
export async function watchCalls(world, work) {
  const rule = "type='method_call',path_namespace='/org/freedesktop/secrets'";
  const monitor = start('dbus-monitor', ['--session', rule], { env: world.env, stdio: ['ignore', 'pipe', 'ignore'] });
  let seen = '';
  monitor.stdout.on('data', (chunk) => { seen += chunk; });
  const until = async (pattern) => {
    for (let tries = 0; tries < 250 && !pattern.test(seen); tries += 1) await pause(20);
  };
  try {
    await until(/NameLost|NameAcquired/);
    await work();
    await world.exec('dbus-send', ['--session', '--print-reply', `--dest=${NAME}`, '/org/freedesktop/secrets', 'org.freedesktop.DBus.Peer.Ping']);
    await until(/member=Ping/);
  } finally {
    monitor.kill();
    await monitor.ended;
  }
  return [...seen.matchAll(/interface=org\.freedesktop\.Secret\S+; member=(\w+)/g)].map(([, member]) => member);
}

export const encoded = (secret) => `ringbearer1:${Buffer.from(secret).toString('base64').replaceAll('+', '-').replaceAll('/', '_')}`;
