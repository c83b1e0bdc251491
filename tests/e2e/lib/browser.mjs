// SPDX-License-Identifier: MIT
//
// A person at a browser, as far as the test servers' pages need one: follows redirects, keeps
// cookies, fills in forms. visit() goes on until the pages lead to another origin, whose address it
// returns unvisited, or until there is nothing left to click (the device flow ends so).

import { password as passwordOf } from '../../servers/fixtures.mjs';
import { request } from './http.mjs';

const MAX_STEPS = 20;
const unescapeHtml = (text) => text.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(code)).replaceAll('&amp;', '&');
const attribute = (tag, name) => {
  const value = new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1];
  return value === undefined ? undefined : unescapeHtml(value);
};

// The page's form: where it goes and what it already contains.
function readForm(page) {
  const tag = /<form[^>]*>/.exec(page)?.[0];
  if (!tag) return undefined;
  const fields = {};
  for (const [input] of page.matchAll(/<input[^>]*>/g)) {
    const name = attribute(input, 'name');
    if (name) fields[name] = attribute(input, 'value') ?? '';
  }
  return { action: attribute(tag, 'action'), fields };
}

// The program's own address, which leads to the service.
export const isStart = (url) => /^http:\/\/(127\.0\.0\.1|\[::1\]|localhost):\d+\/start\/[\w-]{43}$/.test(url);

export class Browser {
  #cookies = new Map();

  // answer: 'allow' | 'deny'; `userCode` is typed where the page asks for one.
  constructor({ ca, user = 'operator', password = passwordOf(user), answer = 'allow', userCode }) {
    Object.assign(this, { ca, user, password, answer, userCode });
  }

  async #fetch(url, form) {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const reply = await request(url, { form, ca: this.ca, headers: cookie ? { cookie } : {} });
    for (const line of reply.headers['set-cookie'] ?? []) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (value) this.#cookies.set(name, value);
      else this.#cookies.delete(name);
    }
    return reply;
  }

  #fill({ fields }) {
    if ('username' in fields) return { ...fields, username: this.user, password: this.password };
    if (fields.step === 'consent') return { ...fields, allow: this.answer === 'allow' ? 'yes' : 'no' };
    if (fields.user_code === '') return { ...fields, user_code: this.userCode };
    if (fields.confirm && this.answer !== 'allow') return { ...fields, abort: 'yes' };
    return fields;
  }

  // Returns { location } or { page }: the redirect that leaves the server, or the last page.
  async visit(start) {
    let { origin } = new URL(start);
    let url = start;
    let reply = await this.#fetch(url);
    if (isStart(start) && reply.headers.location) {
      url = reply.headers.location;
      ({ origin } = new URL(url));
      reply = await this.#fetch(url);
    }
    let typed = false; // a page that asks for the code again has refused it
    for (let step = 0; step < MAX_STEPS; step += 1) {
      if (reply.headers.location) {
        const next = new URL(reply.headers.location, url);
        if (next.origin !== origin) return { location: next.href };
        url = next.href;
        reply = await this.#fetch(url);
        continue;
      }
      const form = reply.status === 200 ? readForm(reply.body) : undefined;
      const asked = form?.fields.user_code === '';
      if (!form || (asked && typed)) return { page: reply.body, status: reply.status };
      typed ||= asked;
      url = new URL(form.action, url).href;
      reply = await this.#fetch(url, this.#fill(form));
    }
    throw new Error(`still at ${url} after ${MAX_STEPS} steps`);
  }
}
