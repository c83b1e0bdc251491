// SPDX-License-Identifier: MIT
//
// `ringbearer login` under way, with the test in the place of the browser:
//
//     const login = await Login.begin(world, 'dashboard');
//     const location = await login.consent({ user: 'operator' });   // where the service's page leads
//     const { page } = await login.arrive(location);                // what a browser then shows
//     const { code, stdout, stderr } = await login.end();
//
// What is still running when the world closes ends with it.

import net from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { isStart } from './browser.mjs';
import { request } from './http.mjs';
import { start } from './processes.mjs';
import { shellLine } from './terminal.mjs';

const PATIENCE = 6000;
const ADDRESS = /^ {2}(https?:\/\/\S+)\r?\n/m;

// Waits until look() gives something.
export async function until(look, what, patience = PATIENCE) {
  const deadline = Date.now() + patience;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`${typeof what === 'function' ? what() : what} did not come in ${patience} ms`);
    await pause(10);
  }
}

// The bytes that a server sends in answer to these until it hangs up: { status, headers, body, text },
// or { failed } if it hung up without a word. Header names are in lower case.
export function exchangeBytes({ host, port }, bytes, { timeout = 4000 } = {}) {
  return new Promise((resolve) => {
    const chunks = [];
    const socket = net.connect({ host, port });
    const done = (failed) => {
      socket.destroy();
      const text = Buffer.concat(chunks).toString();
      const [head, ...rest] = text.split('\r\n\r\n');
      const [first, ...lines] = head.split('\r\n');
      const headers = Object.fromEntries(lines.map((line) => [line.split(':')[0].toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]));
      resolve(text ? { status: Number(first.split(' ')[1]), first, headers, body: rest.join('\r\n\r\n'), text, failed } : { failed: failed ?? 'closed' });
    };
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', (error) => done(error.code));
    socket.on('close', () => done());
    socket.setTimeout(timeout, () => done('timeout'));
    if (bytes !== undefined) socket.write(bytes);
  });
}

export class Login {
  // `args`: what follows `login ACCOUNT`; without a browser unless they say otherwise.
  static async begin(world, account, { args = ['--no-browser'], ...options } = {}) {
    const login = Login.start(world, account, { args, ...options });
    await until(() => login.url || login.over, () => `the address (${login.stderr})`);
    if (!login.url) throw new Error(`no address but exit ${login.over.code}: ${login.stderr}`);
    return login;
  }

  // `under`: words of a command that runs the program. `terminal`: on a terminal of its own, whose
  // output is `stdout`, by a shell that does something `first` and `then`.
  static start(world, account, { args = [], env, stdio = 'pipe', under = [], terminal = false, first = '', then = '' } = {}) {
    const login = new Login();
    const words = [...under, world.program, 'login', account, ...args];
    const [file, ...rest] = terminal ? ['script', '-qefc', `${first}${shellLine(words)}${then}`, '/dev/null'] : words;
    Object.assign(login, { world, stdout: '', stderr: '' });
    login.child = start(file, rest, { cwd: world.env.HOME, env: { ...world.env, SHELL: '/bin/sh', ...env }, stdio });
    for (const name of ['stdout', 'stderr']) login.child[name]?.on('data', (chunk) => { login[name] += chunk; });
    login.child.stdin?.on('error', () => {});
    login.ended = login.child.ended.then((outcome) => { login.over = outcome; return outcome; });
    return login;
  }

  // The address that a person is sent to, once it was said.
  get url() { return ADDRESS.exec(this.stderr + this.stdout)?.[1]; }

  // The request to the service: what a person is shown, or where a browser is led to from the address that it was given.
  get request() { return this.led ?? this.url; }

  // Goes by that address, once, in the place of the browser.
  async setOut() {
    if (isStart(this.url)) this.led = (await request(this.url)).headers.location;
    return this.request;
  }

  get parameters() { return Object.fromEntries(new URL(this.request).searchParams); }

  get redirect() { return new URL(this.parameters.redirect_uri); }

  get port() { return Number(this.redirect.port); }

  get address() { return { host: this.redirect.hostname === '[::1]' ? '::1' : '127.0.0.1', port: this.port }; }

  // A person goes through the service's pages: the address that they end at, not visited.
  async consent(person = {}) {
    const { location, page } = await this.world.visit(this.request, person);
    if (!location) throw new Error(`the pages lead nowhere: ${page}`);
    return location;
  }

  // A browser goes there and follows what it is told: { first, page }, both answers.
  async arrive(location) {
    const first = await request(location);
    const page = first.status === 303 ? await request(new URL(first.headers.location, location)) : undefined;
    return { first, page };
  }

  // A GET of the listener with these parameters, and what else is to be different.
  get(parameters, { method = 'GET', path = this.redirect.pathname, host = this.redirect.host, headers = [], address = this.address } = {}) {
    const query = parameters === undefined ? '' : `?${new URLSearchParams(parameters)}`;
    return this.send([`${method} ${path}${query} HTTP/1.1`, ...(host === null ? [] : [`Host: ${host}`]), ...headers, '', ''].join('\r\n'), address);
  }

  send(bytes, address = this.address, options = {}) { return exchangeBytes(address, bytes, options); }

  get waits() { return this.over === undefined; }

  type(text) { this.child.stdin.write(text); }

  signal(name) { return this.child.kill(name); }

  async end(patience = PATIENCE) {
    await until(() => this.over, () => `the end of the login (${this.stderr})`, patience);
    const { code, signal } = this.over;
    return { code, signal, stdout: this.stdout, stderr: this.stderr };
  }

  // All of it, with a person who says yes unless `person` differs.
  static async complete(world, account, { person = {}, change = (location) => location, ...options } = {}) {
    return Login.during(world, account, async (login) => {
      const location = change(await login.consent(person));
      const { first, page } = await login.arrive(location);
      return { ...await login.end(), first, page, location, parameters: login.parameters };
    }, options);
  }

  // A login that ends with the function, if not before.
  static async during(world, account, body, options) {
    const login = await Login.begin(world, account, options);
    try {
      return await body(login);
    } finally {
      login.signal('SIGKILL');
      await login.ended;
    }
  }
}

// A location with parameters changed, or without those that are null.
export const altered = (changes) => (location) => {
  const url = new URL(location);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
  return url.href;
};
