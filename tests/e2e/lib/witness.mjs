// SPDX-License-Identifier: MIT
//
// Watches arguments and environments of all processes, as anybody on the machine could, from a thread
// of its own so that short-lived processes are seen, too.
//
//     const witness = await Witness.watch(['secret']);
//     …
//     const { hits, looks, programs } = await witness.stop();

import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

export class Witness {
  static async watch(needles) {
    const witness = new Witness();
    witness.worker = new Worker(fileURLToPath(import.meta.url), { workerData: needles });
    await new Promise((resolve, reject) => { witness.worker.once('message', resolve).once('error', reject); });
    return witness;
  }

  // What was found where, how often it was looked, and how many processes called ringbearer were seen.
  stop() {
    return new Promise((resolve) => {
      this.worker.once('message', resolve);
      this.worker.postMessage('stop');
    });
  }
}

function read(file) {
  try {
    return fs.readFileSync(file, 'latin1');
  } catch {
    return ''; // gone meanwhile, or not ours to see
  }
}

function look(needles, found) {
  for (const pid of fs.readdirSync('/proc')) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
    for (const name of ['cmdline', 'environ']) {
      const text = read(`/proc/${pid}/${name}`);
      if (name === 'cmdline' && /^[^\0]*ringbearer\0/.test(text)) found.programs.add(pid);
      const needle = needles.find((one) => text.includes(one));
      if (needle) found.hits.add(`${name} of ${text.split('\0')[0]}: ${needle}`);
    }
  }
  found.looks += 1;
}

if (!isMainThread) {
  const found = { hits: new Set(), programs: new Set(), looks: 0 };
  let on = true;
  parentPort.on('message', () => { on = false; });
  const round = () => {
    look(workerData, found);
    if (on) setImmediate(round);
    else parentPort.postMessage({ hits: [...found.hits], programs: found.programs.size, looks: found.looks });
    if (!on) parentPort.close();
  };
  parentPort.postMessage('ready');
  round();
}
