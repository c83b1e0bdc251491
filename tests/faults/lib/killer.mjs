// SPDX-License-Identifier: MIT
//
// The program under killer.c: compiled here, its log read back and put into words.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { isInstrumented } from '../../e2e/lib/builds.mjs';
import { readMessage } from '../../e2e/lib/message.mjs';

const HERE = fileURLToPath(new URL('../', import.meta.url));
const KEYCTL = { link: 8, invalidate: 21 };
const USER_KEYRING = -4;
const TOLERANCE = 16; // by so many bytes the TLS records of two answers may differ

function compile(directory) {
  const cc = (process.env.CC ?? 'cc').split(' ');
  const make = (...args) => execFileSync(cc[0], [...cc.slice(1), '-std=gnu11', '-O1', ...args], { cwd: HERE, stdio: 'pipe' });
  make('-o', `${directory}/killer`, 'killer.c', 'calls.c');
  make('-shared', '-fPIC', '-o', `${directory}/preload.so`, 'preload.c', '-ldl');
}

// Where this world's tools are, made when they are first needed.
function toolsOf(world) {
  const directory = path.join(world.dir, 'tools');
  if (!fs.existsSync(directory)) {
    fs.mkdirSync(directory);
    compile(directory);
    world.own?.(); // a machine is another user
  }
  return directory;
}

// Why no process can be treated in this way here; undefined if one can.
export function obstacle() {
  if (isInstrumented()) return 'an instrumented build makes system calls of its own';
  const directory = fs.mkdtempSync('/tmp/killer-');
  try {
    compile(directory);
    execFileSync(`${directory}/killer`, [`--log=${directory}/log`, '/bin/true'], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return error.code === 'ENOENT' ? 'there is no C compiler' : `ptrace(2) does not work here: ${error.message}`;
  } finally {
    fs.rmSync(directory, { recursive: true });
  }
}

// An environment in which so many seconds have passed on the clock that suspend does not stop, and
// the wall's clock has gone on by as much, or by `real` seconds. Tracing keeps the statically linked
// front end, into which nothing can be loaded, from answering by itself.
export const later = (world, seconds, real = seconds) => ({
  RINGBEARER_TRACE: '1', LD_PRELOAD: path.join(toolsOf(world), 'preload.so'), SHIFT_BOOT: String(seconds * 1000), SHIFT_REAL: String(real * 1000),
});

const parse = (text) => text.trim().split('\n').map((line, order) => {
  const [number, thread, name, result, ...detail] = line.split(' ');
  return { order, number: Number(number), thread: Number(thread), name, result: result === 'fired' ? result : Number(result), detail };
});

// Runs `ringbearer` with these words and this input, and at call number `at` sends the signal to it or to `victim`, or runs the
// shell command: { code, calls, fired, … }, `fired` being the name of the call at which it happened, if it did.
export async function underFire(world, args, input, { from = 'send', at = -1, signal = 9, victim, command, env = {} } = {}) {
  const tools = toolsOf(world);
  const log = path.join(tools, 'log');
  const happening = command ? `--run=${command}` : `--victim=${victim ?? 0}`;
  const flags = [`--log=${log}`, `--from=${from}`, `--at=${at}`, `--signal=${signal}`, happening];
  const look = (world.uid ?? process.getuid()) === 0 ? {} : { LD_PRELOAD: path.join(tools, 'preload.so') };
  const result = await world.exec(path.join(tools, 'killer'), [...flags, world.program, ...args], { env: { ...look, ...env }, input });
  const calls = parse(fs.readFileSync(log, 'utf8'));
  return { ...result, calls, fired: calls.find((call) => call.result === 'fired')?.name };
}

// The same with `get`, and its `answer`.
export async function getUnderFire(world, account, options) {
  const result = await underFire(world, ['get'], `account=${account}\ncapability[]=authtype\ncapability[]=error\n\n`, options);
  return { ...result, answer: result.code < 128 ? readMessage(result.stdout) : {} };
}

// So many numbers from 0 on, evenly spread, END not among them.
export const evenly = (count, end) => Array.from({ length: count }, (_, i) => Math.round(i * end / count));

// ---- what had happened

const recordOf = (call) => call.detail.at(-1)?.replace(/^for=/, '');
const isKeyctl = (call, operation) => call.name === 'keyctl' && call.result >= 0 && Number(call.detail[0]) === operation;

// The sizes of TLS records, each with the call that brought its end.
function recordsRead(calls, descriptor) {
  const records = [];
  let wanted = 0;
  for (const call of calls) {
    const { name, result, detail } = call;
    if (!/^(recvfrom|read)$/.test(name) || Number(detail[0]) !== descriptor || result <= 0) continue;
    if (wanted > 0) {
      wanted -= result;
      if (wanted <= 0) records.at(-1).end = call;
    } else if (/^1703/.test(detail[1])) {
      wanted = Number.parseInt(detail[1].slice(6, 10), 16);
      records.push({ size: wanted });
    }
  }
  return records;
}

const requestIn = (calls) => calls.find((call) => call.detail.at(-1) === 'request' && call.result > 0);
const answersTo = (calls, sent) => recordsRead(calls, Number(sent.detail[0])).filter(({ end }) => end?.order > sent.order);

// The calls by which the request had left, the answer was here, …; those that have not happened are
// missing. `answerSize` is the size of the TLS record with the answer.
export function milestones(calls, answerSize) {
  const done = calls.filter((call) => call.result !== 'fired');
  const sent = requestIn(done);
  const added = done.filter(({ name, result }) => name === 'add_key' && result > 0);
  const names = new Map(added.map((call) => [call.result, recordOf(call)]));
  const keeps = (call) => {
    if (isKeyctl(call, KEYCTL.link)) return names.get(Number(call.detail[1]));
    return added.includes(call) && Number(call.detail[0]) === USER_KEYRING ? recordOf(call) : undefined;
  };
  const kept = (kind) => done.find((call) => call.order > sent.order && keeps(call) === kind);
  if (!sent) return {};
  const parked = kept('pending');
  return {
    sent, parked,
    received: answersTo(done, sent).find(({ size }) => size > answerSize - TOLERANCE)?.end,
    stored: parked && done.find((call) => call.order > parked.order && isKeyctl(call, KEYCTL.invalidate)),
    published: kept('token'),
    answered: done.find((call) => call.name === 'write' && Number(call.detail[0]) === 1 && call.result > 0),
  };
}

// The names of the calls after FIRST, LAST included.
export const callsBetween = (calls, first, last) => calls.filter(({ order }) => order > first.order && order <= last.order).map(({ name }) => name);

// How much of an answer is in the kernel's keyring at the end: the size of the record; 0 if none is.
export const parkedSize = (calls) => calls.filter((call) => call.name === 'add_key' && call.result > 0 && recordOf(call) === 'pending')
  .reduce((_, { detail }) => Number(detail[1]), 0);

// The size of the record that was the answer in a run that nothing befell: the longest.
export function sizeOfAnswer(calls) {
  return Math.max(...answersTo(calls, requestIn(calls)).map(({ size }) => size));
}

export const CLASSES = {
  before: 'before the request left',
  sent: 'sent, no answer read',
  received: 'answer read, parking not begun',
  parking: 'answer read, killed at its parking',
  parked: 'parked, not yet stored',
  stored: 'stored',
  published: 'published',
  answered: 'answered',
};

// The last milestone of a run that was killed where the call FIRED would have begun.
export function classOf(passed, fired) {
  const last = Object.keys(CLASSES).findLast((name) => name === 'before' || passed[name] !== undefined);
  return last === 'received' && fired === 'add_key' ? 'parking' : last;
}
