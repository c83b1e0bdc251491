// SPDX-License-Identifier: MIT
//
// A real browser for the tests that want one: Chromium, driven by playwright-core, each time with a
// profile of its own inside the world. Both are optional on a machine; `missing` says what is not there.
//
// With SCREENSHOTS=folder set, shoot() leaves pictures of a page there.

import fs from 'node:fs';
import path from 'node:path';

const ARGUMENTS = [
  '--no-sandbox', // root has no namespace of its own to put it in
  '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
  '--disable-sync', '--disable-dev-shm-usage', '--no-proxy-server',
];
const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
const SIZES = { wide: { width: 1200, height: 800 }, narrow: { width: 390, height: 800 } };

const inPath = (name) => (process.env.PATH ?? '').split(':').map((folder) => path.join(folder, name)).find((file) => fs.existsSync(file));
const playwright = await import('playwright-core').catch(() => undefined);
const executablePath = process.env.CHROMIUM ?? NAMES.map(inPath).find(Boolean);

export const missing = (!playwright && 'playwright-core is missing; run npm ci in tests/') || (!executablePath && 'chromium is missing') || false;

// A window of a browser that was never used before: { page, context }.
export async function openWindow(world) {
  const profile = fs.mkdtempSync(path.join(world.dir, 'chromium-'));
  const context = await playwright.chromium.launchPersistentContext(profile, {
    executablePath, args: ARGUMENTS, headless: true, ignoreHTTPSErrors: true, // it does not know the test authority
    env: { ...world.env, TMPDIR: world.dir },
  });
  const page = context.pages()[0] ?? await context.newPage();
  page.setDefaultTimeout(15000);
  return { page, context };
}

// All addresses that the back and forward buttons know.
export async function historyOf({ page, context }) {
  const session = await context.newCDPSession(page);
  const { entries } = await session.send('Page.getNavigationHistory');
  return entries.map(({ url }) => url);
}

export async function shoot(page, name) {
  const folder = process.env.SCREENSHOTS;
  if (!folder) return;
  fs.mkdirSync(folder, { recursive: true });
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    for (const [size, viewport] of Object.entries(SIZES)) {
      await page.setViewportSize(viewport);
      await page.screenshot({ path: path.join(folder, `${name}-${colorScheme}-${size}.png`) });
    }
  }
}
