// SPDX-License-Identifier: MIT
//
// A way to a world's bus on which the Secret Service wants to ask a person before it removes an item, as
// KeePassXC does, or makes one: the call is not passed on, and answered with a prompt. Nobody answers that.

import { header, isCall, openBus, serial } from './bus.mjs';

const METHOD_RETURN = 2;
const PROMPT = '/org/freedesktop/secrets/prompt/p1';

const uint32 = (number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(number);
  return bytes;
};
const pad = (bytes) => Buffer.concat([bytes, Buffer.alloc((8 - (bytes.length % 8)) % 8)]);
const string = (text) => Buffer.concat([uint32(Buffer.byteLength(text)), Buffer.from(`${text}\0`)]);
const ROOT = pad(string('/'));
const CALLS = { // what is answered before the prompt
  Delete: { of: 'org.freedesktop.Secret.Item', types: 'o', first: Buffer.alloc(0) },
  CreateItem: { of: 'org.freedesktop.Secret.Collection', types: 'oo', first: ROOT },
};

function answerTo(message, { types, first }) {
  const fields = Buffer.concat([
    pad(Buffer.concat([Buffer.from([5, 1]), Buffer.from('u\0'), uint32(serial(message))])), // reply to
    Buffer.from([8, 1]), Buffer.from('g\0'), Buffer.from([types.length]), Buffer.from(`${types}\0`), // signature
  ]);
  const body = Buffer.concat([first, string(PROMPT)]);
  const start = Buffer.from(['l'.charCodeAt(0), METHOD_RETURN, 0, 1]);
  return Buffer.concat([pad(Buffer.concat([start, uint32(body.length), uint32(1), uint32(fields.length), fields])), body]);
}

// `asking`: names of CALLS. { env: what leads a program there, seen: the calls that were answered so, close() }
export async function openAskingBus(world, asking) {
  const seen = [];
  const bus = await openBus(world, (ends) => ({
    fromClient(message) {
      const { interface: of, member } = header(message);
      if (!isCall(message) || !asking.includes(member) || CALLS[member].of !== of) return ends.bus.write(message);
      seen.push(member);
      return ends.client.write(answerTo(message, CALLS[member]));
    },
    fromBus: (message) => ends.client.write(message),
  }));
  return { ...bus, seen };
}
