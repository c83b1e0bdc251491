// SPDX-License-Identifier: MIT
//
// whole-flow.mjs LAUNCHER - an account from beginning to end, as whatever user runs this: added, asked,
// cached, asked by URL, asked where the kernel keyring is of no use, renewed, removed. Prints what came
// out as JSON, for environment.test.mjs to judge; nothing is asserted here.

import { pathToFileURL } from 'node:url';
import { closeWorld } from './accounts.mjs';
import { unique } from './small-accounts.mjs';
import { World } from './world.mjs';

export async function wholeFlow(launcher) {
  const world = await World.create();
  const name = unique('flow');
  const result = { uid: process.getuid(), steps: {} };
  const minted = () => world.control.count('client_credentials');
  // How a step ended, whether its token works, and how many tokens it took.
  const step = async (what, work) => {
    const before = await minted();
    const { code, stdout, stderr } = await work();
    const token = /^password=(.*)$/m.exec(stdout)?.[1];
    const works = token !== undefined && (await world.api('/rest/v2/segments', token)).status === 200;
    result.steps[what] = { code, works, minted: await minted() - before, stderr };
  };
  const asked = { account: `--account=${name}`, url: `--url=${world.urls.a}/rest/v2/segments` };
  const launched = (...mode) => () => world.exec(launcher, [...mode, world.program, 'get', asked.account]);
  try {
    await step('add', () => world.addClientCredentials(name));
    await step('get', () => world.request({ account: name }));
    await step('cached', () => world.request({ account: name }));
    await step('by URL', () => world.request({ url: `${world.urls.a}/rest/v2/segments` }));
    await step('other session', launched('session'));
    await step('EPERM', launched('deny', '1'));
    await step('ENOSYS', launched('deny', '38'));
    await step('EPERM, by URL', () => world.exec(launcher, ['deny', '1', world.program, 'get', asked.url]));
    if (result.uid !== 0) await step('full', launched('full'));
    const erase = () => world.request({ account: name }, { verb: 'erase' });
    await step('erase', erase);
    if (result.uid !== 0) {
      await step('full, nothing cached', launched('full'));
      await step('full, cached', launched('full'));
    }
    await step('erase again', erase);
    await step('from another session', launched('session'));
    await step('cached there', () => world.request({ account: name }));
    await step('refresh', () => world.run(['refresh', name]));
    await step('remove', () => world.run(['remove', name]));
    await step('gone', () => world.request({ account: name }));
  } finally {
    await closeWorld(world);
  }
  return result;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.stdout.write(JSON.stringify(await wholeFlow(process.argv[2])));
}
