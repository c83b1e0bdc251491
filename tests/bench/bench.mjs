#!/usr/bin/env node
// SPDX-License-Identifier: MIT
//
// bench.mjs [--rounds=200] [--svg=FILE] [--json=FILE] [--no-callgrind]
//
// How long ringbearer takes, beside an empty program, beside curl, and beside other programs that
// hand out secrets. Everything runs in a world of its own (tests/e2e/lib/world.mjs) and interleaved,
// so only the ratios of one run mean something. Nothing is reported of a command that failed or
// answered anything else than the right secret. Targets are marked; a missed one is no failure.
//
// Run it with `make bench`. The chart goes to tests/bench/chart.svg of the source tree if that can
// be written, else of the build tree.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { World } from '../e2e/lib/world.mjs';
import { describe, instructions } from './callgrind.mjs';
import { BY_ACCOUNT, BY_URL_MANY, COLD, CURL, EMPTY, EMPTY_FRONT, FROM_MEMORY, MACHINE_ACCOUNT, forget, hits, misses, prepare } from './cases.mjs';
import { chart } from './chart.mjs';
import { measure, table } from './measure.mjs';
import { find, preparePeers } from './peers.mjs';
import { AHEAD, CURL_REFRESH, ROTATION, WHOLE, ahead, forgetRenewals, refreshIn, rotations } from './renewals.mjs';

const BUILD = path.resolve(process.env.RINGBEARER_BUILD ?? fileURLToPath(new URL('../../', import.meta.url)));
const HERE = fileURLToPath(new URL('./', import.meta.url));
const built = (name) => path.join(BUILD, 'tests/bench', name);

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '200' }, 'no-callgrind': { type: 'boolean', default: false },
    svg: { type: 'string' }, json: { type: 'string' },
  },
});
const rounds = Number(options.rounds);
const AHEAD_ROUNDS = 100; // all of them while one renewal is under way

const say = (text = '') => process.stdout.write(`${text}\n`);
const named = (rows, name) => rows.find((row) => row.name === name);

function machine() {
  const load = os.loadavg().map((value) => value.toFixed(2)).join(' ');
  return `${os.cpus().length} x ${os.cpus()[0]?.model.trim() ?? os.arch()}, ${os.type()} ${os.release()}, load ${load}`;
}

function version(name) {
  try {
    return execFileSync(find(name), ['--version'], { encoding: 'utf8' }).split(/\n| \(/)[0].trim();
  } catch {
    return `${name}: none`;
  }
}

function printSkipped(skipped) {
  for (const { name, reason } of skipped) say(`not measured: ${name}: ${reason}`);
}

async function cached(world, accounts) {
  const empty = { name: EMPTY, argv: [built('empty')] };
  const front = { name: EMPTY_FRONT, argv: [built('empty-front')] };
  const rows = await measure(world, built('spawn'), [empty, front, ...hits(world, accounts)], rounds, EMPTY);
  say(`\nA cached answer, ${rounds} rounds, ms from spawn to exit, ratios to the empty program`);
  say(table(rows));
  return rows;
}

// A run of its own: programs that wake several daemons leave the machine less even behind them.
async function besidePeers(world, accounts) {
  const { commands, skipped } = await preparePeers(world, accounts.one.secret);
  const empty = { name: EMPTY, argv: [built('empty')] };
  const own = hits(world, accounts).filter(({ name }) => name === BY_ACCOUNT || name === BY_URL_MANY);
  const rows = await measure(world, built('spawn'), [empty, ...own, ...commands], rounds, EMPTY);
  say(`\nBeside other programs that hand out the same secret, ${rounds} rounds`);
  say(table(rows));
  say('(git\'s helpers are started directly, without the git and the shell around them)');
  printSkipped(skipped);
  return { rows, peers: rows.filter(({ name }) => commands.some((peer) => peer.name === name)) };
}

// What a C program has from the library, in its own process, and from the program.
async function inProcess(world, { one: { env, secret } }) {
  const { code, stdout, stderr } = await world.exec(built('library'), [world.program, MACHINE_ACCOUNT, secret, String(rounds)], { env });
  if (code !== 0) throw new Error(`library: ${stderr}`);
  const rows = Object.fromEntries(Object.entries(JSON.parse(stdout)).map(([name, samples]) => {
    const [low, us, high] = [0.25, 0.5, 0.75].map((at) => samples.toSorted((a, b) => a - b)[Math.floor(at * samples.length)] / 1000);
    return [name, { low, us, high }];
  }));
  const show = ({ us, low, high }) => `median ${us.toFixed(1)} us, quartiles ${low.toFixed(1)} to ${high.toFixed(1)}`;
  say(`\nA cached answer for a C program, ${rounds} rounds`);
  say(`ringbearer_get(): ${show(rows.library)}`);
  say(`running ringbearer: ${show(rows.spawned)}; ${(rows.spawned.us / rows.library.us).toFixed(0)} times`);
  return rows;
}

function findCurl() {
  try {
    return find('curl');
  } catch (error) {
    printSkipped([{ name: 'answers that are not cached', reason: error.message }]);
    return undefined;
  }
}

async function uncached(world, accounts, curl) {
  const rows = await measure(world, built('spawn'), misses(world, accounts, curl), rounds, CURL);
  say(`\nAn answer that is not cached, ${rounds} rounds, ratios to ${CURL}`);
  say(table(rows));
  return rows;
}

async function rotated(world, curl) {
  const rows = await measure(world, built('spawn'), await rotations(world, curl), rounds, CURL_REFRESH);
  say(`\nA renewal with rotation, ${rounds} rounds, ratios to ${CURL_REFRESH}`);
  say(table(rows));
  return rows;
}

async function renewedAhead(world) {
  const few = Math.min(rounds, AHEAD_ROUNDS);
  const rows = await measure(world, built('spawn'), await ahead(world), few, WHOLE);
  say(`\nWithin renew_ahead, ${few} rounds, ratios to ${WHOLE}`);
  say(table(rows));
  return rows;
}

// A ratio whose interval spans the limit is neither met nor missed: the machine was too busy, or the rounds too few.
function verdict([low, high], limit) {
  if (high <= limit) return 'met    ';
  return low > limit ? 'MISSED ' : 'unclear';
}

// One row beside another of the same run.
function beside(rows, name, other) {
  const [row, base] = [named(rows, name), named(rows, other)];
  return row && base && { ratio: row.ms / base.ms, interval: [row.interval[0] / base.ratio, row.interval[1] / base.ratio] };
}

function targets(warm, { rows, peers }, { library, cold, rotation, early }) {
  const own = named(rows, BY_ACCOUNT);
  const shared = rotation && beside(rotation, refreshIn('etcd'), refreshIn('file'));
  const lines = [
    ['by account at most 1.15 times the empty program', named(warm, BY_ACCOUNT), 1.15],
    ['by URL among 1,000 accounts at most 1.3 times the empty program', named(warm, BY_URL_MANY), 1.3],
    ['from the second tier at most 1.3 times the empty program', named(warm, FROM_MEMORY), 1.3],
    ['by ringbearer_get() in at most 10 us', { ratio: library.us, interval: [library.low, library.high] }, 10],
    ...(cold ? [[`not cached at most 1.9 times ${CURL}`, named(cold, COLD), 1.9]] : []),
    ...(rotation ? [[`renewed with rotation at most 2.5 times ${CURL_REFRESH}`, named(rotation, ROTATION), 2.5]] : []),
    ...(shared ? [[`renewed through etcd at most 1.6 times ${refreshIn('file')}`, shared, 1.6]] : []),
    ['within renew_ahead at most 2 times the start of the two programs', named(early, AHEAD), 2],
    ...peers.map((peer) => [`ahead of ${peer.name}`, { ratio: own.ms / peer.ms, interval: [own.ms / peer.ms, own.ms / peer.ms] }, 1]),
  ];
  say('\nTargets');
  for (const [what, { ratio, interval }, limit] of lines) say(`${verdict(interval, limit)}  ${what}: ${ratio.toFixed(2)}`);
}

async function countInstructions(world, accounts) {
  if (options['no-callgrind']) return;
  const wanted = hits(world, accounts).filter(({ name }) => [BY_ACCOUNT, FROM_MEMORY, BY_URL_MANY].includes(name));
  const { rows, skipped } = await instructions(world, [{ name: EMPTY, argv: [built('empty')] }, ...wanted]);
  say('\nInstructions (callgrind)');
  if (skipped) printSkipped([{ name: 'instructions', reason: skipped }]);
  else say(describe(rows));
}

function chartFile() {
  if (options.svg) return options.svg;
  const file = path.join(HERE, 'chart.svg');
  try {
    fs.accessSync(fs.existsSync(file) ? file : HERE, fs.constants.W_OK);
    return file;
  } catch {
    return built('chart.svg');
  }
}

function draw({ rows, peers }, { cold, rotation }) {
  const pick = (list, name, label, own = false) => ({ ...named(list, name), label, own });
  const panels = [{
    title: 'A cached token',
    note: `median of ${rounds} runs from spawn to exit, and how many times an empty C program`,
    rows: [
      pick(rows, EMPTY, 'empty C program'), pick(rows, BY_ACCOUNT, 'ringbearer, by account', true),
      pick(rows, BY_URL_MANY, 'ringbearer, by URL, 1,000 accounts', true),
      ...peers.toSorted((a, b) => a.ms - b.ms).map(({ name }) => pick(rows, name, name)),
    ],
  }];
  if (cold) {
    panels.push({
      title: 'A new token: keyring, TLS, client credentials',
      note: 'the same request to the same server on this machine, and how many times bare curl',
      rows: [pick(cold, CURL, 'curl, secret given'), pick(cold, COLD, 'ringbearer, secret in the keyring', true)],
    });
  }
  if (rotation) {
    panels.push({
      title: 'A renewal with rotation: keyring, TLS, keyring, read back',
      note: 'the same request to the same server on this machine, and how many times bare curl',
      rows: [pick(rotation, CURL_REFRESH, 'curl, token given, the next one lost'), pick(rotation, ROTATION, 'ringbearer', true)],
    });
  }
  const file = chartFile();
  fs.writeFileSync(file, chart(panels));
  say(`\nThe chart is in ${path.relative(process.cwd(), file)}`);
}

async function main() {
  const world = await World.create();
  try {
    say(`ringbearer's bench on ${machine()}`);
    say(['git', 'curl', 'oidc-agent'].map(version).join('; '));
    const accounts = await prepare(world);
    const warm = await cached(world, accounts);
    const beside = await besidePeers(world, accounts);
    const c = await inProcess(world, accounts);
    const curl = findCurl();
    const cold = curl && await uncached(world, accounts, curl);
    const rotation = curl && await rotated(world, curl);
    const early = await renewedAhead(world);
    targets(warm, beside, { library: c.library, cold, rotation, early });
    await countInstructions(world, accounts);
    draw(beside, { cold, rotation });
    const figures = { rounds, machine: machine(), cached: warm, beside: beside.rows, library: c, uncached: cold, rotation, ahead: early };
    if (options.json) fs.writeFileSync(options.json, `${JSON.stringify(figures, null, 1)}\n`);
    await forget(world);
    await forgetRenewals(world);
  } finally {
    await world.close();
  }
}

if (!Number.isInteger(rounds) || rounds < 1) {
  process.stderr.write('bench.mjs: --rounds wants a number\n');
  process.exit(2);
}
await main();
