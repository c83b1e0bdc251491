// SPDX-License-Identifier: MIT
//
// Instructions rather than time: the same on every run, so that a slower commit shows in them.

import path from 'node:path';
import { find } from './peers.mjs';

const FUNCTIONS_NAMED = 12;
const LOADER = /^ld[-.]/;

// Self cost, from lines such as " 12,345 (10.9%)  ./elf/dl-lookup.c:do_lookup_x [/lib64/ld-linux-x86-64.so.2]".
// Code inlined from other files has lines of its own, without the object: they go to the function's.
const LINE = /^ *([\d,]+) \([ \d.]+%\) +(\S+?):([^[\n]+?)(?: \[([^\]]+)\])?$/gm;

function functions(text) {
  const lines = [...text.matchAll(LINE)].map(([, count, , symbol, object]) => ({
    ir: Number(count.replaceAll(',', '')), name: symbol.trim(), object: object && path.basename(object),
  }));
  const found = lines.filter(({ object }) => object);
  for (const inlined of lines.filter(({ object }) => !object)) {
    const home = found.find(({ name }) => name === inlined.name);
    if (home) home.ir += inlined.ir;
    else found.push({ ...inlined, object: '?' });
  }
  const sums = new Map();
  for (const { ir, name, object } of found) {
    const symbol = `${name} [${object}]`;
    sums.set(symbol, { symbol, object, ir: ir + (sums.get(symbol)?.ir ?? 0) });
  }
  return [...sums.values()];
}

async function count(world, valgrind, annotate, { name, argv, input, expect, env }) {
  const file = path.join(world.dir, `callgrind.${name.replaceAll(/\W+/g, '-')}`);
  await world.exec(argv[0], argv.slice(1), { input, env }); // what is cached for a minute may be gone by now
  const tool = ['--tool=callgrind', `--callgrind-out-file=${file}`];
  const { code, stdout, stderr } = await world.exec(valgrind, [...tool, ...argv], { input, env });
  const collected = /Collected : (\d+)/.exec(stderr)?.[1];
  if (code !== 0 || !collected || (expect && !stdout.includes(expect))) {
    throw new Error(`valgrind on ${name}: exit status ${code}:\n${stderr}`);
  }
  const listed = await world.exec(annotate, ['--auto=no', '--threshold=100', file]);
  const all = functions(listed.stdout);
  const sum = (belongs) => all.filter(({ object }) => belongs(object)).reduce((total, { ir }) => total + ir, 0);
  return {
    name, ir: Number(collected), functions: all,
    loader: sum((object) => LOADER.test(object)), own: sum((object) => object === path.basename(argv[0])),
  };
}

// { rows } in the order of `commands`, or { skipped: reason }. Ratios are over the first command.
export async function instructions(world, commands) {
  let tools;
  try {
    tools = ['valgrind', 'callgrind_annotate'].map(find);
  } catch (error) {
    return { skipped: error.message };
  }
  const rows = [];
  for (const command of commands) rows.push(await count(world, ...tools, command));
  return { rows };
}

const number = (value) => value.toLocaleString('en-US');

// What each command costs, and where a hit goes beyond what the empty program does as well.
export function describe(rows) {
  const [base, ...others] = rows;
  const lines = rows.map(({ name, ir, loader, own }) => `${name}: ${number(ir)} instructions, ${(ir / base.ir).toFixed(2)} times; `
    + `dynamic loader ${number(loader)}, own code ${number(own)}, libc ${number(ir - loader - own)}`);
  for (const { name, functions: all } of others) {
    const usual = new Map(base.functions.map(({ symbol, ir }) => [symbol, ir]));
    const beyond = all.map(({ symbol, ir }) => ({ symbol, more: ir - (usual.get(symbol) ?? 0) }))
      .sort((a, b) => b.more - a.more);
    lines.push('', `${name}, beyond the empty program:`);
    lines.push(...beyond.slice(0, FUNCTIONS_NAMED).map(({ more, symbol }) => `${number(more).padStart(10)}  ${symbol}`));
  }
  return lines.join('\n');
}
