// SPDX-License-Identifier: MIT
//
// open-url.mjs OPTIONS URL - what $BROWSER points to in tests (see World.browser): goes through the
// pages at URL and delivers the redirect to the program that waits for it.
// OPTIONS is JSON: { ca, user, password, answer, log, query, deliver }. `query` overrides parameters
// of the redirect (null removes one), deliver: false only notes it. Each visit adds a line to `log`.

import fs from 'node:fs';
import { Browser } from './browser.mjs';
import { request } from './http.mjs';

const options = JSON.parse(process.argv[2]);
const url = process.argv[3];
const browser = new Browser({ ...options, ca: fs.readFileSync(options.ca) });
const visit = { url, ...await browser.visit(url) };

if (visit.location) {
  const target = new URL(visit.location);
  for (const [name, value] of Object.entries(options.query ?? {})) {
    if (value === null) target.searchParams.delete(name);
    else target.searchParams.set(name, value);
  }
  visit.location = target.href;
  if (options.deliver !== false) visit.landed = await request(target).catch((error) => ({ error: error.message }));
}
// Written down before the program can end: it waits for the request below.
fs.appendFileSync(options.log, `${JSON.stringify(visit)}\n`);
if (visit.landed?.status === 303) { // as browsers do: the page with the outcome
  await request(new URL(visit.landed.headers.location, visit.location)).catch(() => {});
}
