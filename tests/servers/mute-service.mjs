// SPDX-License-Identifier: MIT
//
// mute-service.mjs - takes the name org.freedesktop.secrets on the session bus and then answers
// nothing, as a Secret Service does that waits for a prompt nobody sees. It speaks just enough
// D-Bus for that: EXTERNAL authentication and two method calls whose replies are not read.

import net from 'node:net';

const NAME = 'org.freedesktop.secrets';
const DO_NOT_QUEUE = 4;
const METHOD_CALL = 1;
const PROTOCOL_VERSION = 1;

const uint32 = (number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(number);
  return bytes;
};
const pad = (bytes, to) => Buffer.concat([bytes, Buffer.alloc((to - (bytes.length % to)) % to)]);
const string = (text) => Buffer.concat([uint32(Buffer.byteLength(text)), Buffer.from(`${text}\0`)]);
const signature = (text) => Buffer.concat([Buffer.from([text.length]), Buffer.from(`${text}\0`)]);

// A header field is a struct (8-aligned) of a code and a variant.
const field = (code, type, value) => Buffer.concat([Buffer.from([code]), signature(type), value]);

function methodCall(serial, member, types, body) {
  const fields = [
    field(1, 'o', string('/org/freedesktop/DBus')),
    field(2, 's', string('org.freedesktop.DBus')),
    field(3, 's', string(member)),
    field(6, 's', string('org.freedesktop.DBus')),
    ...(types ? [field(8, 'g', signature(types))] : []),
  ];
  const list = fields.reduce((all, one) => Buffer.concat([pad(all, 8), one]), Buffer.alloc(0));
  const start = Buffer.from(['l'.charCodeAt(0), METHOD_CALL, 0, PROTOCOL_VERSION]);
  return Buffer.concat([pad(Buffer.concat([start, uint32(body.length), uint32(serial), uint32(list.length), list]), 8), body]);
}

const address = /^unix:path=([^,;]+)/.exec(process.env.DBUS_SESSION_BUS_ADDRESS ?? '')?.[1];
if (!address) throw new Error('DBUS_SESSION_BUS_ADDRESS names no unix:path');

const socket = net.connect(address);
socket.on('error', (error) => { console.error(error.message); process.exit(1); });
socket.on('close', () => process.exit(0));
socket.write(`\0AUTH EXTERNAL ${Buffer.from(String(process.getuid())).toString('hex')}\r\n`);
socket.once('data', (line) => {
  if (!line.toString().startsWith('OK')) throw new Error(`the bus says ${line}`);
  socket.write('BEGIN\r\n');
  socket.write(methodCall(1, 'Hello', '', Buffer.alloc(0)));
  socket.write(methodCall(2, 'RequestName', 'su', Buffer.concat([pad(string(NAME), 4), uint32(DO_NOT_QUEUE)])));
  socket.resume(); // and from here on, silence
});
