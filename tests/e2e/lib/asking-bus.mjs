// SPDX-License-Identifier: MIT
//
// A way to a world's bus on which the Secret Service wants to ask a person before it removes an item, as
// KeePassXC does, or makes one: the call is not passed on, and answered with a prompt. Nobody answers that.

import net from 'node:net';
import path from 'node:path';

const METHOD_CALL = 1;
const METHOD_RETURN = 2;
const PROMPT = '/org/freedesktop/secrets/prompt/p1';
const BEGIN = 'BEGIN\r\n';

const uint32 = (number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(number);
  return bytes;
};
const pad = (bytes) => Buffer.concat([bytes, Buffer.alloc((8 - (bytes.length % 8)) % 8)]);
const string = (text) => Buffer.concat([uint32(Buffer.byteLength(text)), Buffer.from(`${text}\0`)]);
const size = (message) => 16 + Math.ceil(message.readUInt32LE(12) / 8) * 8 + message.readUInt32LE(4);
const ROOT = pad(string('/'));
const CALLS = { // what is answered before the prompt
  Delete: { of: 'org.freedesktop.Secret.Item', types: 'o', first: Buffer.alloc(0) },
  CreateItem: { of: 'org.freedesktop.Secret.Collection', types: 'oo', first: ROOT },
};
const calls = (message, name) => message[1] === METHOD_CALL && message.includes(string(name)) && message.includes(string(CALLS[name].of));

function answerTo(message, { types, first }) {
  const fields = Buffer.concat([
    pad(Buffer.concat([Buffer.from([5, 1]), Buffer.from('u\0'), uint32(message.readUInt32LE(8))])), // reply to
    Buffer.from([8, 1]), Buffer.from('g\0'), Buffer.from([types.length]), Buffer.from(`${types}\0`), // signature
  ]);
  const body = Buffer.concat([first, string(PROMPT)]);
  const start = Buffer.from(['l'.charCodeAt(0), METHOD_RETURN, 0, 1]);
  return Buffer.concat([pad(Buffer.concat([start, uint32(body.length), uint32(1), uint32(fields.length), fields])), body]);
}

// Passes on what SOCKET says after its authentication, message by message.
function relay(socket, bus, asking, seen) {
  let rest = Buffer.alloc(0);
  let begun = false;
  bus.pipe(socket);
  socket.on('close', () => bus.destroy()).on('data', (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    if (!begun) { // until then it is lines, and the answers are waited for
      begun = rest.includes(BEGIN);
      const end = begun ? rest.indexOf(BEGIN) + BEGIN.length : rest.length;
      bus.write(rest.subarray(0, end));
      rest = rest.subarray(end);
    }
    while (rest.length >= 16 && rest.length >= size(rest)) {
      const message = rest.subarray(0, size(rest));
      const name = Object.keys(CALLS).find((one) => asking.includes(one) && calls(message, one));
      if (name) {
        seen.push(name);
        socket.write(answerTo(message, CALLS[name]));
      } else {
        bus.write(message);
      }
      rest = rest.subarray(message.length);
    }
  });
}

// `asking`: names of CALLS. { env: what leads a program there, seen: the calls that were answered so, close() }
export async function openAskingBus(world, asking) {
  const [, target] = /^unix:path=([^,;]+)/.exec(world.env.DBUS_SESSION_BUS_ADDRESS);
  const file = path.join(world.dir, 'asking');
  const seen = [];
  const ends = new Set();
  const server = net.createServer((socket) => {
    const bus = net.connect(target);
    for (const end of [socket, bus]) end.on('error', () => end.destroy());
    ends.add(socket).add(bus);
    relay(socket, bus, asking, seen);
  });
  await new Promise((resolve) => { server.listen(file, resolve); });
  return {
    env: { DBUS_SESSION_BUS_ADDRESS: `unix:path=${file}` },
    seen,
    close: () => new Promise((resolve) => { server.close(resolve); for (const end of ends) end.destroy(); }),
  };
}
