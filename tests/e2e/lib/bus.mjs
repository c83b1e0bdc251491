// SPDX-License-Identifier: MIT
//
// A way to a world's bus on which each message passes through the hands of a test: what D-Bus's wire format asks
// for, in the byte order of the machines that the tests run on.

import net from 'node:net';
import path from 'node:path';

const BEGIN = 'BEGIN\r\n';
const METHOD_CALL = 1;
const FIELDS = { 1: 'path', 2: 'interface', 3: 'member', 5: 'answers' };

const aligned = (at, to) => Math.ceil(at / to) * to;
const headerSize = (message) => aligned(16 + message.readUInt32LE(12), 8);
const size = (message) => headerSize(message) + message.readUInt32LE(4);

export const serial = (message) => message.readUInt32LE(8);
export const isCall = (message) => message[1] === METHOD_CALL;

function textAt(message, at) {
  const length = message.readUInt32LE(at);
  return { text: message.toString('utf8', at + 4, at + 4 + length), end: at + 4 + length + 1 };
}

// { path, interface, member, answers: the serial of the call }, as far as they are there.
export function header(message) {
  const found = {};
  const end = 16 + message.readUInt32LE(12);
  for (let at = 16; at < end; at = aligned(at, 8)) {
    const [code, , type] = message.subarray(at, at + 3);
    const value = at + 4;
    if (type === 'u'.charCodeAt(0)) {
      found[FIELDS[code]] = message.readUInt32LE(value);
      at = value + 4;
    } else if (type === 'g'.charCodeAt(0)) {
      at = value + message[value] + 2;
    } else {
      const { text, end: next } = textAt(message, value);
      found[FIELDS[code]] = text;
      at = next;
    }
  }
  return found;
}

// The strings at the head of the body.
export function strings(message, count) {
  const found = [];
  for (let at = headerSize(message); found.length < count;) {
    const { text, end } = textAt(message, at);
    found.push(text);
    at = aligned(end, 4);
  }
  return found;
}

// Calls TAKE with each message of what comes in chunks.
function splitter(take) {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 16 && rest.length >= size(rest)) {
      const message = rest.subarray(0, size(rest));
      rest = rest.subarray(message.length);
      take(message);
    }
  };
}

// Until BEGIN it is lines, and the answers are waited for.
function relay(socket, bus, hands) {
  let begun = false;
  let lines = Buffer.alloc(0);
  const fromClient = splitter(hands.fromClient);
  const fromBus = splitter(hands.fromBus);
  bus.on('close', () => socket.destroy()).on('data', (chunk) => { if (begun) fromBus(chunk); else socket.write(chunk); });
  socket.on('close', () => bus.destroy()).on('data', (chunk) => {
    if (begun) return fromClient(chunk);
    lines = Buffer.concat([lines, chunk]);
    begun = lines.includes(BEGIN);
    const end = begun ? lines.indexOf(BEGIN) + BEGIN.length : lines.length;
    bus.write(lines.subarray(0, end));
    lines = lines.subarray(end);
    return begun && fromClient(lines);
  });
}

// TAKE makes the hands of a connection, { fromClient(message), fromBus(message) }, and is given { client, bus } to write to.
// { env: what leads a program there, close() }
export async function openBus(world, take) {
  const [, target] = /^unix:path=([^,;]+)/.exec(world.env.DBUS_SESSION_BUS_ADDRESS);
  const file = path.join(world.dir, 'asking');
  const ends = new Set();
  const server = net.createServer((client) => {
    const bus = net.connect(target);
    for (const end of [client, bus]) end.on('error', () => end.destroy());
    ends.add(client).add(bus);
    relay(client, bus, take({ client, bus }));
  });
  await new Promise((resolve) => { server.listen(file, resolve); });
  return {
    env: { DBUS_SESSION_BUS_ADDRESS: `unix:path=${file}` },
    close: () => new Promise((resolve) => { server.close(resolve); for (const end of ends) end.destroy(); }),
  };
}
