// SPDX-License-Identifier: MIT
//
// The Secret Service, with a real gnome-keyring. What is its own is in e2e/store*.test.mjs and e2e/keyring*.test.mjs.

import { storeSuite } from './suite/suite.mjs';

storeSuite({
  name: 'secret_service',
  keys: { store: 'secret_service' },
  open: ({ keyring }) => ({ lock: keyring.lock, unlock: keyring.unlock, vanish: keyring.kill, come: keyring.start }),
});
