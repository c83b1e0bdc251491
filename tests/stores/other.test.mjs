// SPDX-License-Identifier: MIT
//
// A store of somebody else: RINGBEARER_STORE=my_vault, with its module where RINGBEARER_MODULE_DIR says (beside the
// program's own). RINGBEARER_STORE_KEYS has account keys for it, key=value, one a line: store_command=/usr/local/bin/my-vault.
// RINGBEARER_STORE_ENV names the variables that it needs, separated by blanks.

import { sharedSuite } from './suite/shared.mjs';
import { storeSuite } from './suite/suite.mjs';

const { RINGBEARER_STORE: name, RINGBEARER_STORE_KEYS: keys = '', RINGBEARER_STORE_ENV: variables = '' } = process.env;

// One that stands there several times has several values.
function keysOf(text) {
  const found = {};
  for (const [key, value] of text.split('\n').filter(Boolean).map((line) => line.split(/=(.*)/s, 2))) found[key] = key in found ? [found[key], value].flat() : value;
  return found;
}

const store = {
  name: name ?? 'of somebody else',
  skip: name ? false : 'RINGBEARER_STORE names none',
  keys: { store: name, ...keysOf(keys) },
  env: Object.fromEntries(variables.split(' ').filter(Boolean).map((each) => [each, process.env[each]])),
};
storeSuite(store);
sharedSuite(store);
