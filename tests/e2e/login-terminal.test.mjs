// SPDX-License-Identifier: MIT
//
// A login at a terminal: how the browser is started and what it is given, what the person reads,
// pastes and interrupts.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, beforeEach, describe, test } from 'node:test';
import { closeWorld } from './lib/accounts.mjs';
import { addPublic, DEVICES, refreshTokenOf, tokenOf } from './lib/login-accounts.mjs';
import { exchangeBytes, Login, until } from './lib/login.mjs';
import { unique } from './lib/small-accounts.mjs';
import { World } from './lib/world.mjs';

const NAME = unique('terminal');
const PASTED = unique('terminal-paste');
const ELSEWHERE = 'https://app.example.test/oauth/callback';
const QUIET = /^Your browser opens to log in\. If [^\n]*:\n\n {2}http:\/\/127\.0\.0\.1:\d+\/start\/[\w-]{43}\n\n$/;
const SHOWN = /^Open this address to log in:\n\n {2}https:\/\/\S+\n\n$/;
let world;
let scripts = 0;

before(async () => {
  world = await World.create();
  await addPublic(world, NAME);
  await addPublic(world, PASTED, { redirect_uri: ELSEWHERE });
});
after(() => closeWorld(world));
beforeEach(async () => {
  await world.control.reset();
  const { apps } = (await world.control.state()).tenants.b;
  const { client_id, redirect_uris } = apps.find(({ auth }) => auth === 'none');
  await world.control.app({ tenant: 'b', client_id, redirect_uris: [...redirect_uris, ELSEWHERE] });
});

// A program in the world's PATH: { file, name, report, reported() }, the report being the file that
// it writes.
function program(name, script) {
  scripts += 1;
  const file = `${world.dir}/bin/${name ?? `script-${scripts}`}`;
  const report = `${world.dir}/report-${scripts}`;
  fs.writeFileSync(file, `#!/bin/sh\nREPORT=${report}\n${script}\n`, { mode: 0o700 });
  return { file, name: file.split('/').at(-1), report, reported: () => until(() => fs.existsSync(report) && fs.readFileSync(report, 'utf8'), 'the report') };
}

// What the shell of a terminal does around the program: it outlives Ctrl-C and shows how things are.
const AROUND = { terminal: true, first: 'trap : INT; ', then: '; echo "[$?]"; stty -a' };
const IN_ORDER = /\[130\].*[ ;]icanon .*[ ;]echo /s;

const withBrowser = (env, body, options) => Login.during(world, NAME, body, { args: [], env, ...options });
const ADDRESS_ONLY = 'printf "%s\\n" "$#" "$@" >"$REPORT.new"; mv "$REPORT.new" "$REPORT"';

async function finish(login) {
  await login.arrive(await login.consent());
  const result = await login.end();
  assert.equal(result.code, 0, result.stderr);
  return result;
}

describe('the browser', () => {
  test('S0:26 is given the address and nothing else', () => {
    const { file, reported } = program(undefined, ADDRESS_ONLY);
    return withBrowser({ BROWSER: file }, async (login) => {
      assert.equal(await reported(), `1\n${login.url}\n`);
      assert.match((await finish(login)).stderr, QUIET);
    });
  });

  test('its chatter goes nowhere', () => {
    const { file, reported } = program(undefined, `echo chatter; echo chatter >&2; head -c 200000 /dev/zero; ${ADDRESS_ONLY}`);
    return withBrowser({ BROWSER: file }, async (login) => {
      await reported();
      const { stdout, stderr } = await finish(login);
      assert.match(stdout, new RegExp(`^${NAME}: logged in, valid for \\d+ s, then renewed without you\n$`));
      assert.match(stderr, QUIET);
    });
  });

  // Descriptor 3 is one that the caller of the program has left open.
  test('inherits three descriptors and no more, and is a process like any other', () => {
    const { file, reported } = program(undefined, `{ ls -l /proc/self/fd; grep -E '^(Sig(Ign|Blk)|Umask)' /proc/self/status; cut -d' ' -f1,6 /proc/$$/stat; } >"$REPORT.new"
mv "$REPORT.new" "$REPORT"`);
    const left = fs.openSync('/dev/null', 'r');
    return withBrowser({ BROWSER: file }, async (login) => {
      const text = await reported();
      const descriptors = [...text.matchAll(/ (\d+) -> (.*)$/gm)].map(([, number, where]) => [Number(number), where]);
      const others = descriptors.filter(([number, where]) => number > 2 && !/\/fd$/.test(where)); // ls reads the folder
      assert.deepEqual(others, []);
      assert.deepEqual(descriptors.filter(([number]) => number === 0 || number === 2), [[0, '/dev/null'], [2, '/dev/null']]);
      assert.match(text, /^SigBlk:\t0+$/m);
      assert.match(text, /^SigIgn:\t0*(00000000|180000000)$/m, '32 and 33 are the C library\'s own');
      assert.match(text, /^Umask:\t0022$/m);
      const [, pid, session] = /^(\d+) (\d+)$/m.exec(text);
      assert.equal(pid, session, 'Ctrl-C at the terminal is not for it');
      await finish(login);
    }, { stdio: ['pipe', 'pipe', 'pipe', left] }).finally(() => fs.closeSync(left));
  });

  test('is xdg-open where there is a display and $BROWSER says nothing', async () => {
    const { file, reported, report } = program('xdg-open', ADDRESS_ONLY);
    for (const env of [{ DISPLAY: ':99' }, { WAYLAND_DISPLAY: 'wayland-99' }, { DISPLAY: ':99', BROWSER: '' }]) {
      await withBrowser(env, async (login) => assert.equal(await reported(), `1\n${login.url}\n`));
      fs.unlinkSync(report);
    }
    fs.unlinkSync(file);
  });

  test('is looked for in PATH, and never run by a shell', async () => {
    const { name, reported } = program(undefined, ADDRESS_ONLY);
    await withBrowser({ BROWSER: name }, async (login) => assert.equal(await reported(), `1\n${login.url}\n`));
    await withBrowser({ BROWSER: `${name}; touch ${world.dir}/injected` }, (login) => until(() => /No browser/.test(login.stderr), 'the message'));
    assert.equal(fs.existsSync(`${world.dir}/injected`), false);
  });

  test('may be one of several, have arguments, and get the address where it wants it', async () => {
    const { name, file, reported, report } = program(undefined, ADDRESS_ONLY);
    const odd = `${world.dir}/bin/a browser: mine`;
    const fails = program(undefined, 'kill -KILL $$').file;
    fs.copyFileSync(file, odd);
    for (const [BROWSER, words] of [
      [`nonexistent:/nonexistent/browser %s:${name}:also-nonexistent`, (url) => [url]],
      [`${name} --new-window`, (url) => ['--new-window', url]],
      [`${file} --url=%s '--two words' "%s" &`, (url) => [`--url=${url}`, '--two words', url]],
      [`nonexistent --x:${name} $HOME \\$x`, (url) => ['$HOME', '$x', url]],
      [odd, (url) => [url]],
      [`'a browser:${name}`, (url) => [url]],
      [`nonexistent:false:${fails}:${name}:also-nonexistent`, (url) => [url]],
    ]) {
      await withBrowser({ BROWSER }, async (login) => {
        const expected = words(login.url);
        assert.equal(await reported(), `${[expected.length, ...expected].join('\n')}\n`, BROWSER);
      });
      fs.unlinkSync(report);
    }
  });

  test('need not come to an end, nor end well', async () => {
    for (const script of ['sleep 60', 'exit 1']) {
      await withBrowser({ BROWSER: program(undefined, script).file }, finish);
    }
  });

  const missing = {
    'no display and no $BROWSER': [{}, ''],
    'a $BROWSER that is not there': [{ BROWSER: '/nonexistent/browser' }, ' \\(BROWSER=/nonexistent/browser is no program\\)'],
    'a $BROWSER that is not on PATH': [{ BROWSER: 'nonexistent' }, ' \\(BROWSER=nonexistent is not on PATH\\)'],
    'no xdg-open': [{ DISPLAY: ':99', PATH: '/nonexistent' }, ''],
  };
  for (const [what, [env, why]] of Object.entries(missing)) {
    test(`${what}: it says so, shows the address, and waits`, () => withBrowser(env, async (login) => {
      await until(() => new RegExp(`No browser could be started here${why}; open the address yourself\\.\n$`).test(login.stderr), () => login.stderr);
      assert.ok(login.waits && login.url);
      await finish(login);
    }));
  }

  test('S0:26 --no-browser: none is started', () => {
    const { file, report } = program(undefined, ADDRESS_ONLY);
    return withBrowser({ BROWSER: file, DISPLAY: ':99' }, async (login) => {
      assert.match((await finish(login)).stderr, SHOWN);
      assert.equal(fs.existsSync(report), false);
    }, { args: ['--no-browser'] });
  });

  test('all of it with $BROWSER alone', async () => {
    const browser = world.browser();
    const { code, stdout, stderr } = await world.run(['login', NAME], { env: browser.env });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /logged in/);
    assert.equal(browser.visits().length, 1);
  });
});

describe('--paste', () => {
  const PROMPT = /address that the browser ends at.*: $/;
  const pasting = (body, options) => Login.during(world, PASTED, body, { args: ['--paste', '--no-browser'], terminal: true, ...options });

  async function paste(login, change = (text) => text) {
    const location = await login.consent();
    await until(() => PROMPT.test(login.stdout), 'the prompt');
    login.type(`${change(location)}\n`);
    return location;
  }

  test('S1:25 the address of a server elsewhere is registered; it is not shown while it is pasted', () => pasting(async (login) => {
    assert.equal(login.parameters.redirect_uri, ELSEWHERE);
    const location = await paste(login);
    const { code, stdout } = await login.end();
    assert.equal(code, 0, stdout);
    assert.match(stdout, new RegExp(`\n${PASTED}: logged in, `));
    assert.ok(!stdout.includes(new URL(location).searchParams.get('code')));
    assert.equal((await world.api(DEVICES, await tokenOf(world, PASTED))).status, 200);
  }));

  test('blanks around it, and a fragment behind it', () => pasting(async (login) => {
    await paste(login, (text) => `  ${text}#_=_ \t`);
    const { code, stdout } = await login.end();
    assert.equal(code, 0, stdout);
  }));

  const wrong = {
    'another state': (text) => text.replace(/state=[^&]*/, 'state=guessed'),
    'no state': (text) => text.replace(/state=[^&]*/, ''),
    'another place': (text) => text.replace('app.example.test', 'attacker.test'),
    'half of it': (text) => text.slice(0, text.indexOf('state=') + 12),
    'no address': () => 'yes',
    nothing: () => '',
  };
  for (const [what, change] of Object.entries(wrong)) {
    test(`${what}: refused, and nothing is sent`, () => pasting(async (login) => {
      await paste(login, change);
      const { code, stdout } = await login.end();
      assert.equal(code, 2, stdout);
      assert.match(stdout, new RegExp(`ringbearer: ${PASTED}: this is not the address of this login; run \`ringbearer login ${PASTED} --paste\``));
      assert.equal(await world.control.count('authorization_code', 'b'), 0);
    }));
  }

  test('a refusal that is pasted', () => pasting(async (login) => {
    await paste(login, (text) => text.replace(/code=[^&]*/, 'error=access_denied'));
    assert.equal((await login.end()).code, 6);
  }));

  test('Ctrl-C at the prompt puts the terminal in order', () => pasting(async (login) => {
    await until(() => PROMPT.test(login.stdout), 'the prompt');
    login.type('\x03');
    const { stdout } = await login.end();
    assert.match(stdout, IN_ORDER);
  }, AROUND));

  test('without a terminal', async () => {
    const browser = world.browser({ deliver: false });
    const { code, stderr } = await world.exec('setsid', ['-w', world.program, 'login', PASTED, '--paste'], { timeout: 5000, env: browser.env });
    assert.equal(code, 2, stderr);
    assert.match(stderr, /terminal/);
    assert.doesNotMatch(stderr, /--secret-stdin/, 'which is no option of login');
    assert.doesNotMatch(stderr, /Open this address/, 'nobody is sent away who cannot come back');
  });
});

describe('an interruption while the browser is away', () => {
  for (const [signal, number] of Object.entries({ SIGINT: 2, SIGTERM: 15, SIGHUP: 1 })) {
    test(`${signal}: it ends with it, and leaves nothing behind`, () => Login.during(world, NAME, async (login) => {
      const kept = await refreshTokenOf(world, NAME);
      const { address } = login;
      login.signal(signal);
      const { code, signal: died } = await login.end();
      assert.ok(died === signal || code === 128 + number, `${code} ${died}`);
      assert.equal((await exchangeBytes(address)).failed, 'ECONNREFUSED');
      assert.equal(await refreshTokenOf(world, NAME), kept);
      assert.equal((await Login.complete(world, NAME)).code, 0);
    }));
  }

  test('Ctrl-C at the terminal', () => Login.during(world, NAME, async (login) => {
    const { address } = login;
    login.type('\x03');
    const { stdout } = await login.end();
    assert.match(stdout, IN_ORDER);
    assert.equal((await exchangeBytes(address)).failed, 'ECONNREFUSED');
  }, AROUND));
});
