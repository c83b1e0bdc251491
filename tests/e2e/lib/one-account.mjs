// SPDX-License-Identifier: MIT
//
// The world of a test file that is about one account of the provider `oauth2` (see addGeneric()). Before each test the
// servers are as they were and nothing is cached:
//
//     oneAccount(NAME, (made) => { world = made; });

import { after, before, beforeEach } from 'node:test';
import { addGeneric, afresh, closeWorld } from './accounts.mjs';
import { World } from './world.mjs';

export function oneAccount(name, take, account = {}) {
  let world;
  before(async () => {
    world = await World.create();
    await addGeneric(world, name, account);
    take(world);
  });
  after(() => closeWorld(world));
  beforeEach(async () => {
    await world.control.reset();
    await afresh(world, name);
  });
}
