// SPDX-License-Identifier: MIT
//
// An account with a standing grant at tenant a, whose login costs no browser, and what is to be seen
// of its refresh token: in the keyring, at the server, at the API.

import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { grantA } from './flows.mjs';
import { World } from './world.mjs';
import { DASHBOARD, REDIRECT_URI } from '../../servers/fixtures.mjs';

export const SEGMENTS = '/rest/v2/segments';

// The kernel's keyring belongs to the user and not to a world: names are a process's own.
export const NAME = `rotation-${process.pid}`;

const given = (keys) => Object.fromEntries(Object.entries(keys).filter(([, value]) => value !== undefined));

export const accountKeys = (world, extra = {}) => given({
  provider: 'blueconic', tenant: world.host('a'), grant: 'authorization_code', client_id: DASHBOARD.client_id,
  redirect_uri: REDIRECT_URI, ca_file: world.caFile, ...extra,
});

// `get` with reasons on stdout.
export const get = (world, keys = {}, options = {}) => world.request({ account: NAME, capability: ['authtype', 'error'], ...keys }, options);
export const erase = (world, account = NAME) => world.request({ account }, { verb: 'erase' });

// A person consents, and the refresh token goes into the keyring. Answers the token response.
export async function logIn(world, account = NAME) {
  const given = await grantA(world);
  const { code, stderr } = await world.request({ account, refresh_token: given.refresh_token }, { verb: 'store' });
  assert.equal(code, 0, stderr);
  return given;
}

export async function addAccount(world, account = NAME, extra = {}) {
  await world.add(account, accountKeys(world, extra), DASHBOARD.client_secret);
  return logIn(world, account);
}

export const refreshTokenOf = async (world, account = NAME) => {
  const { code, stdout } = await world.exec('secret-tool', ['lookup', 'account', account, 'kind', 'refresh_token']);
  return code === 0 ? Buffer.from(stdout.replace(/^ringbearer1:/, ''), 'base64url').toString() : undefined;
};

export const worksAtApi = async (world, { code, answer }) => code === 0 && answer.credential !== undefined
  && (await world.api(SEGMENTS, answer.credential)).status === 200;

export async function assertWorks(world, result) {
  assert.equal(result.code, 0, result.stderr);
  assert.ok(await worksAtApi(world, result), 'the API takes the token');
  return result.answer.credential;
}

// How often the server was asked with a refresh token, and how often it said no (a reuse, mostly).
export async function refreshes(world) {
  const { refresh_token: { total = 0, error = 0 } = {} } = await world.control.counts();
  return { total, error };
}

// The refresh tokens that came to the server, in order.
export async function tokensSent(world) {
  const bodies = (await world.control.log()).filter(({ endpoint, body }) => endpoint === 'token' && body)
    .map(({ body }) => new URLSearchParams(body));
  return bodies.filter((form) => form.get('grant_type') === 'refresh_token').map((form) => form.get('refresh_token'));
}

// What BODY makes the server see: how many requests, how many tokens more than once, how often it says no.
export async function seen(world, body) {
  const earlier = await refreshes(world);
  await body();
  const { total, error } = await refreshes(world);
  const requests = total - earlier.total;
  const tokens = requests > 0 ? (await tokensSent(world)).slice(-requests) : [];
  return { requests, twice: requests - new Set(tokens).size, refused: error - earlier.error };
}

// Waits until the server has this many requests with a refresh token before it.
export async function untilAsked(world, wanted = 1) {
  for (let tries = 0; tries < 1000; tries += 1) {
    if ((await tokensSent(world)).length >= wanted) return;
    await pause(10);
  }
  throw new Error('the server was not asked');
}

// Takes all records of this account, pending ones as well, out of the kernel's keyring.
export async function closeWorld(world) {
  try {
    await world.control.clearFaults();
    await world.run(['logout', NAME], { timeout: 10000 });
  } finally {
    await world.close();
  }
}

export async function inWorld(options, body) {
  const world = await World.create(options);
  try {
    await body(world);
  } finally {
    await closeWorld(world);
  }
}

// A world with the account, for the tests of a suite or of a file; TAKE is given it.
export function withAccount(take) {
  let world;
  before(async () => {
    world = await World.create();
    take(world);
    await addAccount(world);
  });
  after(() => closeWorld(world));
}
