// SPDX-License-Identifier: MIT
//
// From commands to figures. A command is { name, argv, input?, expect?, env?, before?: { argv, input? } };
// all of them run interleaved in tests/bench/spawn, which refuses to report one that failed.

import fs from 'node:fs';
import path from 'node:path';

const RESAMPLES = 2000;
const PATIENCE = 30 * 60 * 1000;

function specification(commands, directory) {
  fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
  let inputs = 0;
  const file = (text) => {
    const name = path.join(directory, `input-${inputs += 1}`);
    fs.writeFileSync(name, text, { mode: 0o600 });
    return name;
  };
  const lines = commands.flatMap(({ name, argv, input, expect, env = {}, before }) => [
    `name=${name}`,
    ...argv.map((word) => `arg=${word}`),
    ...Object.entries(env).map(([key, value]) => `env=${key}=${value}`),
    ...(input === undefined ? [] : [`stdin=${file(input)}`]),
    ...(expect === undefined ? [] : [`expect=${expect}`]),
    ...(before?.argv ?? []).map((word) => `before=${word}`),
    ...(before?.input === undefined ? [] : [`before_stdin=${file(before.input)}`]),
    '',
  ]);
  return file(lines.join('\n'));
}

export function median(values) {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function quantile(values, share) {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

// The same rounds are drawn for both, so that a slow minute of the machine weighs on both.
function ratioInterval(values, base) {
  const ratios = [];
  for (let i = 0; i < RESAMPLES; i += 1) {
    const rounds = values.map(() => Math.floor(Math.random() * values.length));
    ratios.push(median(rounds.map((round) => values[round])) / median(rounds.map((round) => base[round])));
  }
  return [quantile(ratios, 0.025), quantile(ratios, 0.975)];
}

// One row for each command: `name`, `ms` (median), `p10`, `p90`, `cpu` (median, ms), `faults` and, over
// the command named `base`, `ratio` with its 95 % `interval`.
export async function measure(world, program, commands, rounds, base) {
  const spec = specification(commands, path.join(world.dir, `bench-${base.replaceAll(/\W/g, '-')}`));
  const { code, stdout, stderr } = await world.exec(program, [spec, String(rounds)], { timeout: PATIENCE });
  if (code !== 0) throw new Error(`the measurement failed, no figure is reported:\n${stderr}`);
  const series = new Map(JSON.parse(stdout).map((each) => [each.name, each]));
  const milliseconds = (name) => series.get(name).wall_ns.map((value) => value / 1e6);
  const unit = milliseconds(base);
  return commands.map(({ name }) => {
    const wall = milliseconds(name);
    const { cpu_us: cpu, faults } = series.get(name);
    return {
      name,
      ms: median(wall), p10: quantile(wall, 0.1), p90: quantile(wall, 0.9), cpu: median(cpu) / 1000, faults: median(faults),
      ratio: median(wall) / median(unit),
      interval: name === base ? [1, 1] : ratioInterval(wall, unit),
    };
  });
}

const columns = [
  ['', (row) => row.name],
  ['median', (row) => row.ms.toFixed(3)],
  ['p10', (row) => row.p10.toFixed(3)],
  ['p90', (row) => row.p90.toFixed(3)],
  ['cpu', (row) => row.cpu.toFixed(3)],
  ['faults', (row) => row.faults.toFixed(0)],
  ['ratio', (row) => row.ratio.toFixed(2)],
  ['95 %', (row) => row.interval.map((end) => end.toFixed(2)).join('–')],
];

export function table(rows) {
  const cells = [columns.map(([title]) => title), ...rows.map((row) => columns.map(([, show]) => show(row)))];
  const widths = columns.map((_, i) => Math.max(...cells.map((line) => line[i].length)));
  const aligned = (cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]));
  return cells.map((line) => line.map(aligned).join('  ')).join('\n');
}
