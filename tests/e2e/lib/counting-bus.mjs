// SPDX-License-Identifier: MIT
//
// A way to a world's bus that counts what is asked, and shows what is asked together: the answer to the first question of a
// pair is not passed on before the second one has come. Whoever waits for it first waits for ever.

import { header, isCall, openBus, serial, strings } from './bus.mjs';

// A property is asked for by its name.
function nameOf(message) {
  const { member } = header(message);
  return member === 'Get' ? strings(message, 2)[1] : member;
}

// Another item is there by now: its kind has another last letter.
function renamed(message) {
  const changed = Buffer.from(message);
  const at = changed.indexOf('refresh_token');
  if (at >= 0) changed.write('s', at + 'refresh_toke'.length);
  return changed;
}

// Questions are meant by { name: [which of those with the name, from 0] }. `pairs`: those that come as the first of a pair;
// `moved`: those that are answered as if another item were there by now. { env: what leads a program there, seen: the names of all
// calls, close() }
export async function openCountingBus(world, { pairs = {}, moved = {} } = {}) {
  const seen = [];
  const bus = await openBus(world, (ends) => {
    const first = new Set();
    const elsewhere = new Set();
    const held = [];
    let last;
    const question = (message) => {
      const name = nameOf(message);
      const which = seen.filter((one) => one === name).length;
      seen.push(name);
      last = serial(message);
      if (pairs[name]?.includes(which)) first.add(last);
      if (moved[name]?.includes(which)) elsewhere.add(last);
      for (const answer of held.splice(0)) ends.client.write(answer);
    };
    return {
      fromClient(message) {
        if (isCall(message)) question(message);
        ends.bus.write(message);
      },
      fromBus(message) {
        const { answers } = header(message);
        const answer = elsewhere.has(answers) ? renamed(message) : message;
        if (first.has(answers) && answers === last) held.push(answer);
        else ends.client.write(answer);
      },
    };
  });
  return { ...bus, seen };
}
