// SPDX-License-Identifier: MIT
//
// Waits for something to become true, and fails the test if it does not.

import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';

// Answers the first value of `look` that counts as true.
export async function until(look, what, { patience = 15000, step = 10 } = {}) {
  const deadline = performance.now() + patience;
  for (;;) {
    const found = await look();
    if (found) return found;
    assert.ok(performance.now() < deadline, `waited ${patience} ms: ${what}`);
    await pause(step);
  }
}
