// SPDX-License-Identifier: MIT
//
// The protocol on the wire: which account a request finds, what is refused, and the forms of an answer.
// Accounts here hold API keys that name them, so that every answer says whose it is.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { closeWorld } from './lib/accounts.mjs';
import { readMessage, writeMessage } from './lib/message.mjs';
import { start } from './lib/processes.mjs';
import { addKey, ask, assertRefused, unique } from './lib/small-accounts.mjs';
import { onTerminal } from './lib/terminal.mjs';
import { World } from './lib/world.mjs';

const LINE_MAX = 65535; // bytes, newline included
const API = 'https://api.example.test';
const keyOf = (name) => `key-of-${name}`;
const accounts = {
  root: { match: `${API}/` },
  v1: { match: `${API}/v1/` },
  users: { match: `${API}/v1/users` },
  other: { match: `${API}:8443/`, username: 'service' },
  two: { match: ['https://first.example.test/', 'https://second.example.test/deep/'] },
  sales: { match: 'https://mail.example.test/', username: 'sales' },
  support: { match: 'https://mail.example.test/', username: 'support' },
  twin: { match: 'https://twin.example.test/' },
  double: { match: 'https://TWIN.example.test:443' },
  six: { match: 'https://[::1]:8443/' },
  escaped: { match: 'https://escaped.example.test/a%20b/%7Euser' },
};
let world;
const names = Object.fromEntries(Object.keys(accounts).map((name) => [name, unique(`wire-${name}`)]));

const raw = async (input, args = ['get'], options = {}) => world.run(args, { input, ...options });
const git = (url) => {
  const [, protocol, host, path] = /^([^:]*):\/\/([^/]*)(?:\/(.*))?$/.exec(url);
  return { protocol, host, path };
};
async function found(result) {
  if (result.code !== 0) return result.answer.error;
  return Object.keys(names).find((name) => result.answer.password === keyOf(name));
}

before(async () => {
  world = await World.create({ servers: false });
  await Promise.all(Object.entries(accounts).map(([name, extra]) => addKey(world, names[name], extra, keyOf(name))));
});
after(() => closeWorld(world));

describe('which account', () => {
  const places = {
    [`${API}`]: 'root', [`${API}/`]: 'root', [`${API}/v1`]: 'v1', [`${API}/v1/`]: 'v1', [`${API}/v12`]: 'root',
    [`${API}/v1/users`]: 'users', [`${API}/v1/users/7`]: 'users', [`${API}/v1/usersx`]: 'v1', [`${API}/V1/users`]: 'root',
    'HTTPS://API.Example.TEST/v1': 'v1',
    [`${API}:443/v1`]: 'v1', [`${API}:0443/v1`]: 'v1', [`${API}:8443/v1`]: 'other', [`${API}:8444/`]: 'no_account',
    [`${API}/%76%31/user%73`]: 'users', [`${API}/v1%2Fusers`]: 'root', [`${API}/v1/./users/../users/7`]: 'users', [`${API}/v1/users/..`]: 'v1',
    [`${API}/../../v1`]: 'v1', [`${API}/v1/%2e%2e/`]: 'root', [`${API}/v1/users/../../`]: 'root', [`${API}//v1`]: 'root',
    'https://second.example.test/deep/er': 'two', 'https://second.example.test/': 'no_account', 'https://first.example.test/deep': 'two',
    'https://[::1]:8443/': 'six', 'https://[::1]/': 'no_account', 'https://escaped.example.test/%61%20b/~user/x': 'escaped',
    'https://escaped.example.test/a%20b/%7euser': 'escaped',
    'http://api.example.test/': 'no_account', 'https://api.example.test.evil.test/': 'no_account', 'https://evil.test/api.example.test': 'no_account',
    'https://xapi.example.test/': 'no_account', 'https://mail.example.test/': 'ambiguous_account', 'https://twin.example.test/': 'ambiguous_account',
  };
  test('by protocol, host and path, as git says it', async () => {
    for (const [url, expected] of Object.entries(places)) assert.equal(await found(await ask(world, git(url))), expected, url);
  });

  test('by URL; query and fragment do not count', async () => {
    for (const [url, expected] of Object.entries(places)) assert.equal(await found(await ask(world, { url })), expected, url);
    for (const tail of ['?q=1', '#part', '?a=/../..', '/?x#y']) assert.equal(await found(await ask(world, { url: `${API}/v1${tail}` })), 'v1', tail);
  });

  test('the name before the @ is a user, not the host', async () => {
    const hosts = {
      'https://api.example.test@evil.test/': 'no_account',
      'https://api.example.test:443@evil.test/': 'no_account',
      'https://evil.test#@api.example.test/': 'no_account',
      'https://evil.test?@api.example.test/': 'no_account',
      'https://evil.test/@api.example.test/': 'no_account',
      'https://me@api.example.test/': 'root',
      'https://evil.test\\@api.example.test/': 'malformed_request',
      'https://evil.test @api.example.test/': 'malformed_request',
    };
    for (const [url, expected] of Object.entries(hosts)) assert.equal(await found(await ask(world, { url })), expected, url);
    assert.equal(await found(await ask(world, { protocol: 'https', host: 'api.example.test@evil.test' })), 'malformed_request');
  });

  test('username decides between two, and never against itself', async () => {
    const url = 'https://mail.example.test/inbox';
    assert.equal(await found(await ask(world, { url, username: 'sales' })), 'sales');
    assert.equal(await found(await ask(world, { url, username: 'support' })), 'support');
    assert.equal(await found(await ask(world, { url, username: 'somebody' })), 'no_account');
    assert.equal(await found(await ask(world, { url: 'https://support@mail.example.test/' })), 'support');
    assert.equal(await found(await ask(world, { url: 'https://support@mail.example.test/', username: 'sales' })), 'sales');
    assert.equal(await found(await ask(world, { url: `${API}/v1/`, username: 'anybody' })), 'v1');
    const ambiguous = await ask(world, { url });
    assertRefused(ambiguous, 1, 'ambiguous_account', /username/);
    for (const name of ['sales', 'support']) assert.ok(ambiguous.stderr.includes(names[name]));
  });

  test('a named account answers for its own places only, cached or not', async () => {
    for (let i = 0; i < 2; i += 1) {
      assert.equal(await found(await ask(world, { account: names.v1 })), 'v1');
      assert.equal(await found(await ask(world, { account: names.v1, url: `${API}/v1/users` })), 'v1');
      for (const where of [{ url: 'https://evil.test/' }, { url: `${API}/v2` }, { protocol: 'http', host: 'api.example.test', path: 'v1' }]) {
        assertRefused(await ask(world, { account: names.v1, ...where }), 1, 'no_account', /does not answer for .*`match`/);
      }
    }
    assertRefused(await ask(world, { account: unique('nobody') }), 1, 'no_account');
  });
});

describe('what a request may look like', () => {
  const reads = async (input, name = 'v1') => assert.equal(readMessage((await raw(input)).stdout).password, keyOf(name), JSON.stringify(input));

  test('the end of a message; unknown keys; later keys', async () => {
    const account = `account=${names.v1}`;
    await reads(`${account}\n\n`);
    await reads(`${account}\n`);
    await reads(account);
    await reads(`${account}\n\nthis is not read\n`);
    await reads(`future=1\nstate[]=x\nquit=\noauth_refresh_token=x\n${account}\nx y=z=\n\n`);
    await reads(`account=${names.root}\n${account}\n\n`);
    await reads(`protocol=http\nhost=evil.test\nprotocol=https\nhost=api.example.test\npath=x\npath=v1\n\n`);
    await reads(`# no comment=\n${account}\n\n`);
    const head = `${account}\nfiller=`;
    await reads(`${head}${'x'.repeat(LINE_MAX - 'filler=\n'.length)}\n\n`);
  });

  test('an empty value clears a list', async () => {
    const lines = (...capabilities) => `account=${names.v1}\n${capabilities.map((one) => `capability[]=${one}\n`).join('')}\n`;
    const form = async (...capabilities) => Object.keys(readMessage((await raw(lines(...capabilities))).stdout))[0];
    assert.equal(await form('state', 'authtype'), 'capability[]');
    assert.equal(await form('authtype', ''), 'username');
    assert.equal(await form('authtype', '', 'state'), 'username');
    assert.equal(await form('', 'authtype'), 'capability[]');
  });

  const account = () => `account=${names.v1}\n`;
  const malformed = {
    'nothing at all': () => '',
    'a blank line': () => '\n',
    'only unknown keys': () => 'x=y\n',
    'a line without =': () => `${account()}nonsense\n`,
    'an empty key': () => `${account()}=value\n`,
    'NUL in a value': () => `${account()}x=a\0b\n`,
    'NUL in a key': () => `${account()}x\0=b\n`,
    'CR in a value': () => `${account()}x=a\rb\n`,
    'CRLF line ends': () => `account=${names.v1}\r\n\r\n`,
    'a line too long': () => `${account()}x=${'y'.repeat(LINE_MAX - 2)}\n`,
    'a message too long': () => account() + `x=${'y'.repeat(60000)}\n`.repeat(40),
    'too many lines': () => account() + 'x=y\n'.repeat(5000),
    'protocol without host': () => 'protocol=https\n',
    'host without protocol': () => 'host=api.example.test\n',
    'a URL that is none': () => 'url=api.example.test/v1\n',
    'an empty host': () => 'protocol=https\nhost=\n',
    'a port too large': () => 'url=https://api.example.test:65536/\n',
    'a port that is no number': () => 'url=https://api.example.test:x/\n',
    'a blank in a host': () => 'protocol=https\nhost=api.example .test\n',
    'a broken escape': () => `url=${API}/%zz\n`,
    'a backslash in a path': () => `url=${API}/v1\\users\n`,
    'a URL too long': () => `url=${API}/${'x'.repeat(5000)}\n`,
    'interactive=maybe': () => `${account()}interactive=maybe\n`,
    'an unknown form': () => `${account()}format=xml\n`,
    'min_valid=-1': () => `${account()}min_valid=-1\n`,
    'min_valid=soon': () => `${account()}min_valid=soon\n`,
    'min_valid too large': () => `${account()}min_valid=99999999999\n`,
    'a quote in a scope': () => `${account()}scope=a"b\n`,
    'a resource with a fragment': () => `${account()}resource=https://x.test/#y\n`,
    'an account name with a slash': () => 'account=../../etc/passwd\n',
    'a hidden account': () => 'account=.hidden\n',
    'an empty account name': () => 'account=\n',
    'an account name too long': () => `account=${'x'.repeat(65)}\n`,
  };
  for (const [what, input] of Object.entries(malformed)) {
    test(`refused: ${what}`, async () => {
      for (const verb of ['get', 'erase']) {
        const { code, stdout, stderr } = await raw(`${input()}\n`, [verb]);
        if (verb === 'erase' && /form|min_valid/.test(what)) continue;
        assert.deepEqual([verb, code, stdout], [verb, 2, ''], stderr);
        assert.match(stderr, /^ringbearer: [^\n]+; [^\n]+\n$/, 'what is wrong, and what to do');
      }
    });
  }

  test('error= goes to those who asked for it, after the message was read', async () => {
    const wants = (...capability) => world.request({ account: unique('nobody'), capability });
    assert.deepEqual(Object.keys((await wants('error', 'authtype')).answer), ['error', 'error_description']);
    for (const none of [['authtype'], ['errors'], ['error', '']]) assert.equal((await wants(...none)).stdout, '');
    assertRefused(await ask(world, { account: names.v1, interactive: 'maybe' }), 2, 'malformed_request');
    assert.equal((await raw('capability[]=error\nnonsense\n\n')).stdout, '');
  });
});

describe('the answer', () => {
  const lines = ({ stdout }) => stdout.split('\n').slice(0, -1);

  test("in git's order, with and without authtype; an expiry that nobody stated is not written", async () => {
    assert.deepEqual(lines(await world.request({ account: names.v1, capability: ['authtype'] })), [
      'capability[]=authtype', 'authtype=Bearer', `credential=${keyOf('v1')}`, 'ephemeral=1', `account=${names.v1}`,
    ]);
    assert.deepEqual(lines(await world.request({ account: names.v1 })), ['username=oauth2', `password=${keyOf('v1')}`, `account=${names.v1}`]);
    assert.equal((await world.request({ account: names.other })).answer.username, 'service');
  });

  test('the forms, asked for on stdin and as an option', async () => {
    const forms = {
      git: `username=oauth2\npassword=${keyOf('v1')}\naccount=${names.v1}\n`,
      token: `${keyOf('v1')}\n`,
      header: `Authorization: Bearer ${keyOf('v1')}\n`,
      json: `${JSON.stringify({ account: names.v1, token_type: 'Bearer', access_token: keyOf('v1') })}\n`,
    };
    for (const [form, expected] of Object.entries(forms)) {
      assert.equal((await raw(`account=${names.v1}\nformat=${form}\n\n`)).stdout, expected);
      assert.equal((await raw('', ['get', `--account=${names.v1}`, `--format=${form}`])).stdout, expected);
      assert.equal((await raw('', ['get', `--url=${API}/v1/x`, '--format', form])).stdout, expected);
    }
    assert.equal((await raw('', ['token', names.v1])).stdout, forms.token);
    const chosen = await raw('', ['get', '--url=https://mail.example.test/', '--username=support', '--format=token']);
    assert.equal(chosen.stdout, `${keyOf('support')}\n`);
  });

  test('with options nothing is read from stdin', async () => {
    for (const args of [['get', `--account=${names.v1}`], ['token', names.v1]]) {
      const child = start(world.program, args, { env: world.env, stdio: ['pipe', 'ignore', 'ignore'] });
      const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
      assert.equal((await child.ended).code, 0, args.join(' '));
      clearTimeout(timer);
    }
  });

  test('wrong options', async () => {
    const wrong = [
      ['--bogus'], ['--format'], [`--account=${names.v1}`, 'more'], ['--account=a\nb'], [`--account=${names.v1}`, '--format=xml'],
      [`--account=${names.v1}`, '--min-valid=x'],
    ];
    for (const args of wrong) {
      const { code, stdout, stderr } = await raw('', ['get', ...args]);
      assert.deepEqual([args, code, stdout, /^ringbearer: .+\n$/.test(stderr)], [args, 2, '', true]);
    }
    for (const verb of ['store', 'erase']) {
      assert.equal((await raw(writeMessage({ account: names.v1 }), [verb, 'more'])).code, 2, `${verb} more`);
      assert.equal((await raw(writeMessage({ account: names.v1 }), [verb, '--bogus'])).code, 2, `${verb} --bogus`);
    }
  });

  test('what it does not know it ignores, in silence', async () => {
    for (const verb of ['capability', 'future', 'GET', '']) {
      const { code, stdout, stderr } = await raw('nonsense\n', [verb]);
      assert.deepEqual([verb, code, stdout, stderr], [verb, 0, '', '']);
    }
    const typed = await onTerminal(world, ['future']);
    assert.deepEqual([typed.code, /there is no command `future`/.test(typed.output)], [2, true], 'a person is told');
  });

  test('a token is not shown on a terminal unless it must be', async () => {
    for (const args of [['get', `--account=${names.v1}`], ['get', `--account=${names.v1}`, '--format=json'], ['token', names.v1]]) {
      const { code, output } = await onTerminal(world, args);
      assert.deepEqual([code, output.includes(keyOf('v1')), /--show/.test(output)], [2, false, true], output);
      const shown = await onTerminal(world, [...args, '--show']);
      assert.deepEqual([shown.code, shown.output.includes(keyOf('v1'))], [0, true]);
    }
  });

  test('an answer that cannot be written is a failure', async () => {
    const status = async (line) => /exit (\d+)/.exec((await world.exec('sh', ['-c', line, 'sh', world.program, names.v1])).stderr)[1];
    for (const command of ['get --account="$2"', 'token "$2"', 'list --json', 'help add', 'providers', '--version', 'show "$2"']) {
      assert.notEqual(await status(`"$1" ${command} >/dev/full; echo "exit $?" >&2`), '0', `${command} >/dev/full`);
      assert.notEqual(await status(`(sleep 0.1; "$1" ${command}; echo "exit $?" >&2) | true`), '0', `${command} | true`);
      assert.notEqual(await status(`"$1" ${command} >&-; echo "exit $?" >&2`), '0', `${command} >&-`);
    }
    assert.notEqual(await status('"$1" get <&-; echo "exit $?" >&2'), '0', 'get <&-');
    assert.equal(await status('"$1" token "$2" 2>&- >/dev/null; echo "exit $?" >&2'), '0', 'without stderr');
  });
});
