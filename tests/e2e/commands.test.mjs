// SPDX-License-Identifier: MIT
//
// The commands of a person: prompts on a terminal, what each prints and how it fails. `add` and the
// files it writes have accounts.test.mjs.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { MACHINE } from '../servers/fixtures.mjs';
import { accountFile, closeWorld } from './lib/accounts.mjs';
import { SOURCE } from './lib/builds.mjs';
import { encoded, itemsOf, valueOf } from './lib/keyring-items.mjs';
import { KEY, PLACE, addKey, ask, assertRefused, keyAccount, unique } from './lib/small-accounts.mjs';
import { onTerminal, shellLine, shellOnTerminal } from './lib/terminal.mjs';
import { World } from './lib/world.mjs';

const COMMANDS = ['get', 'token', 'store', 'erase', 'add', 'secret', 'list', 'show', 'providers', 'refresh', 'remove', 'help'];
const PROMPT = /\(it is not shown\): $/;
const TYPED = 'typed-by-hand';
const keyFlags = ['--provider=oauth2', '--grant=api_key', `--match=${PLACE}`];
let world;
let counter = 0;

const next = () => { counter += 1; return unique(`command-${counter}`); };
const usage = async (args, message = /see `ringbearer help/) => {
  const { code, stdout, stderr } = await world.run(args);
  assert.deepEqual([args, code, stdout], [args, 2, '']);
  assert.match(stderr, message);
};

before(async () => { world = await World.create(); });
after(() => closeWorld(world));

describe('at a terminal', () => {
  test('S0:24 S2:38 S3:49 add asks for the secret and does not show it', async () => {
    const name = next();
    const { code, output } = await onTerminal(world, ['add', name, ...keyFlags], [[PROMPT, `${TYPED}\n`]]);
    assert.equal(code, 0, output);
    assert.match(output, new RegExp(`^API key of ${name}`));
    assert.ok(!output.includes(TYPED), output);
    assert.match(output, new RegExp(`added; try \`ringbearer token ${name} --show\``));
    assert.equal(await valueOf(world, { account: name }), encoded(TYPED));
  });

  test('secret does the same, and stdin is not asked', async () => {
    const name = await addKey(world, next());
    const command = `${shellLine([world.program, 'secret', name])} </dev/null`;
    const { code, output } = await shellOnTerminal(world, command, [[PROMPT, `${TYPED}\n`]]);
    assert.deepEqual([code, output.includes(TYPED)], [0, false], output);
    assert.equal((await ask(world, { account: name })).answer.password, TYPED);
  });

  const ends = { 'Ctrl-C': '\x03', 'Ctrl-\\': '\x1c' };
  for (const [what, typed] of Object.entries(ends)) {
    test(`${what} leaves no account, and the terminal as it was`, async () => {
      const name = next();
      const add = shellLine([world.program, 'add', name, ...keyFlags]);
      const command = `trap : INT QUIT; stty -a >before; ${add}; echo "exit $?"; stty -a >after; cmp before after && echo same`;
      const { output } = await shellOnTerminal(world, command, [[PROMPT, typed]]);
      assert.match(output, /exit 13[01]/);
      assert.match(output, /same\n$/);
      assert.equal(fs.existsSync(accountFile(world, name)), false);
      assert.deepEqual(await itemsOf(world, name), []);
    });
  }

  test('Ctrl-D or an empty line is no secret, three times', async () => {
    for (const typed of ['\x04', '\n']) {
      const name = next();
      const { code, output } = await onTerminal(world, ['add', name, ...keyFlags], Array(3).fill([PROMPT, typed]));
      assert.deepEqual([code, /the secret is empty/.test(output), fs.existsSync(accountFile(world, name))], [2, true, false], output);
    }
  });

  test('without a terminal it says how else', async () => {
    const name = next();
    const { code, stderr } = await world.exec('setsid', ['-w', world.program, 'add', name, ...keyFlags], { input: KEY });
    assert.deepEqual([code, /no terminal.*--secret-stdin/.test(stderr), fs.existsSync(accountFile(world, name))], [2, true, false]);
  });
});

describe('secret, refresh, remove', () => {
  test('a new secret counts at once', async () => {
    const name = next();
    await world.addClientCredentials(name);
    const first = (await ask(world, { account: name })).answer.password;
    const secret = await world.control.regenerate(MACHINE.client_id);
    const rejected = { account: name, 'wwwauth[]': ['Bearer error="invalid_token"'], password: first };
    assertRefused(await ask(world, rejected), 6, 'client_rejected', new RegExp(`ringbearer secret ${name}`));
    const { stdout } = await world.must(['secret', name, '--secret-stdin'], { input: `${secret}\n` });
    assert.equal(stdout, `${name}: client secret kept\n`);
    const second = (await ask(world, { account: name })).answer.password;
    assert.ok(second && second !== first);
    await world.control.reset();
  });

  test('an account without a secret has none to replace', async () => {
    const name = next();
    world.account(name, { provider: 'oauth2', grant: 'client_credentials', client_auth: 'none', client_id: 'x', token_endpoint: 'https://x.test/' });
    await usage(['secret', name, '--secret-stdin'], /no secret to replace/);
  });

  test('login and secret do not begin with what cannot end well', async () => {
    const name = next();
    world.account(name, { provider: 'oauth2', grant: 'authorization_code', authorization_endpoint: 'https://x.test/a', token_endpoint: 'https://x.test/' });
    for (const words of [['login', name, '--no-browser'], ['secret', name, '--secret-stdin']]) {
      const { code, stderr } = await world.run(words, { input: KEY });
      assert.deepEqual([code, stderr], [7, `ringbearer: ${name}: \`client_id\` is not set; add client_id = ID to ${accountFile(world, name)}\n`]);
    }
    assert.deepEqual(await itemsOf(world, name), []);
  });

  test('refresh renews now and tells for how long', async () => {
    const name = next();
    await world.addClientCredentials(name);
    const first = (await ask(world, { account: name })).answer.password;
    assert.match((await world.must(['refresh', name])).stdout, new RegExp(`^${name}: renewed, valid for 3(600|59\\d) s\\n$`));
    assert.notEqual((await ask(world, { account: name })).answer.password, first);
    await world.control.fault({ kind: '503', count: 5 });
    const failed = await world.run(['refresh', name]);
    assert.deepEqual([failed.code, failed.stdout], [5, '']);
    await world.control.clearFaults();
  });

  test('remove takes secrets, tokens and the file, and can be done twice', async () => {
    const name = await addKey(world, next());
    await ask(world, { account: name });
    assert.equal((await world.must(['remove', name])).stdout, `${name}: removed\n`);
    assert.deepEqual([fs.existsSync(accountFile(world, name)), await itemsOf(world, name)], [false, []]);
    world.account(name, keyAccount);
    assertRefused(await ask(world, { account: name }), 4, 'no_secret');
    await world.must(['remove', name]);
    assert.equal((await world.run(['remove', name])).code, 1);
  });

  test('store does not keep silent about an account', async () => {
    const name = await addKey(world, next());
    const says = async (verb, keys, code, message) => {
      const result = await world.request(keys, { verb });
      assert.deepEqual([result.code, result.stdout], [code, ''], result.stderr);
      assert.match(result.stderr, message);
    };
    await says('store', { account: name }, 2, /no secret in it; add client_secret=, refresh_token= or api_key=/);
    await says('store', { account: name, password: KEY }, 0, /^$/);
    await says('erase', { account: `${name}x` }, 0, /^$/);
    await says('erase', { account: name }, 0, /^$/);
    assert.equal(await valueOf(world, { account: name }), encoded(KEY));
  });

  test('remove takes what is broken, with its secrets', async () => {
    const spoil = {
      'no grant': (name) => world.account(name, `match = ${PLACE}\n`), 'no such grant': (name) => world.account(name, { ...keyAccount, grant: 'apikey' }),
      'no such provider': (name) => world.account(name, { ...keyAccount, provider: 'nobody' }), 'not to be believed': (name) => fs.chmodSync(accountFile(world, name), 0o666),
    };
    for (const [what, how] of Object.entries(spoil)) {
      const name = await addKey(world, next());
      how(name);
      const { code, stdout, stderr } = await world.run(['remove', name]);
      assert.deepEqual([what, code, stdout, stderr], [what, 0, `${name}: removed\n`, '']);
      assert.deepEqual([fs.existsSync(accountFile(world, name)), await itemsOf(world, name)], [false, []]);
    }
  });
});

describe('what there is', () => {
  test('S1:32 list says how each account stands, and no secret', async () => {
    const own = await World.create({ servers: false });
    try {
      const [good, idle, broken] = ['good', 'idle', 'broken'].map(unique);
      assert.deepEqual([(await own.must(['list'])).stdout, JSON.parse((await own.must(['list', '--json'])).stdout)], ['', []]);
      // A person reads that there is nothing; a program reads nothing.
      assert.equal((await onTerminal(own, ['list'])).output, 'ringbearer: there is no account yet; `ringbearer add NAME` sets one up\n');
      assert.match((await onTerminal(own, ['list', '--passwords'])).output, /^ringbearer: git has stored no password here/);
      for (const flags of [[], ['--passwords']]) assert.deepEqual(await own.must(['list', ...flags]).then(({ stdout, stderr }) => [stdout, stderr]), ['', '']);
      assert.equal((await onTerminal(own, ['list', '--json'])).output, '[\n]\n');
      await addKey(own, good);
      await addKey(own, idle, { grant: 'api_key' });
      own.account(broken, 'grant = "api_key\\\n');
      own.account('.hidden', keyAccount);
      await ask(own, { account: good });
      const { stdout } = await own.must(['list']);
      assert.ok(!stdout.includes(KEY));
      const first = stdout.split('\n').filter((line) => !line.startsWith(' ')).map((line) => line.split(/ +/)[0]);
      assert.deepEqual(first, ['ACCOUNT', broken, good, idle, '']);
      const listed = JSON.parse((await own.must(['list', '--json'])).stdout);
      assert.deepEqual(listed.map(({ account, state }) => [account, state]), [[broken, 'broken'], [good, 'valid'], [idle, 'none']]);
      assert.deepEqual(listed[1], { account: good, provider: 'oauth2', grant: 'api_key', state: 'valid', expires_at: null });
      assert.match(listed[0].detail, /`grant` cannot be `"api_key\\`/);
    } finally {
      await closeWorld(own);
    }
  });

  test('list tells expiry and refusal', async () => {
    const [name, refused] = [next(), next()];
    await world.addClientCredentials(name);
    await world.addClientCredentials(refused);
    const expiry = Number((await ask(world, { account: name })).answer.password_expiry_utc);
    await world.control.app({ client_id: MACHINE.client_id, status: 'OFF' });
    await ask(world, { account: refused });
    const listed = JSON.parse((await world.must(['list', '--json'])).stdout);
    const of = (account) => listed.find((one) => one.account === account);
    assert.deepEqual([of(name).state, of(name).expires_at], ['valid', expiry]);
    assert.deepEqual([of(refused).state, of(refused).expires_at], ['refused', null]);
    assert.match((await world.must(['list'])).stdout, new RegExp(`^${name} +blueconic +client_credentials +valid for (60|59) min\\b`, 'm'));
    await world.control.reset();
  });

  test('show tells where each value comes from', async () => {
    const name = next();
    await world.addClientCredentials(name, { match: ['https://a.test/', 'https://b.test/'] });
    const { stdout } = await world.must(['show', name]);
    const origins = Object.fromEntries([...stdout.matchAll(/^(\w+) = .*\n\t# (.*)$/gm)].map(([, key, origin]) => [key, origin]));
    assert.equal(origins.timeout, 'built in');
    assert.match(origins.token_endpoint, /providers\/blueconic, line \d+$/);
    assert.match(origins.client_id, new RegExp(`${accountFile(world, name)}, line \\d+$`));
    assert.match(stdout, /^match = https:\/\/a.test\/\n.*\nmatch = https:\/\/b.test\/\n/m);
    assert.ok(!stdout.includes(MACHINE.client_secret));
    assert.equal((await world.run(['show', unique('nobody')])).code, 1);
  });

  test('S0:19 S2:34 S2:97 S3:11 providers names every shipped file with its documentation', async () => {
    const { stdout } = await world.must(['providers']);
    for (const name of fs.readdirSync(path.join(SOURCE, 'helper/providers'))) assert.match(stdout, new RegExp(`^${name} +\\S.*\\n +https://`, 'm'));
  });
});

describe('help and usage', () => {
  test('help for everything and for each', async () => {
    const overview = (await world.must(['help'])).stdout;
    for (const option of ['--help', '-h']) assert.equal((await world.must([option])).stdout, overview);
    const names = [...overview.matchAll(/^ {2}(\w+) +\S/gm)].map(([, name]) => name);
    for (const name of COMMANDS) assert.ok(names.includes(name), name);
    for (const name of names) {
      const { stdout, stderr } = await world.must(['help', name]);
      assert.match(stdout, new RegExp(`^usage: ringbearer ${name}\\b`));
      assert.doesNotMatch(stdout, / $/m);
      for (const option of ['--help', '-h']) assert.equal((await world.must([name, option])).stdout, stdout);
      assert.equal(stderr, '');
    }
    await usage(['help', 'nonsense'], /no command `nonsense`/);
  });

  test('every key of the table is an option of add', async () => {
    const { stdout } = await world.must(['help', 'add']);
    const keys = [...fs.readFileSync(path.join(SOURCE, 'helper/accounts/keys.def'), 'utf8').matchAll(/^KEY\(\w+, "(\w+)"/gm)].map(([, key]) => key);
    assert.ok(keys.length > 25);
    for (const key of keys) assert.match(stdout, new RegExp(`^ {2}--${key.replaceAll('_', '-')}=\\S+ +\\S`, 'm'));
  });

  test('the version', async () => {
    for (const option of ['--version', '-V']) assert.match((await world.must([option])).stdout, /^ringbearer \d+\.\d+\.\d+\S*\n$/);
  });

  test('the links say who runs them', async () => {
    for (const link of ['bazel-credential', 'cargo-credential', 'docker-credential', 'git-credential', 'terraform-credentials'].map((each) => `${each}-ringbearer`).concat('docker-credential-ringbearer-interactive')) {
      const said = async (option) => (({ code, stdout, stderr }) => [code, stdout, stderr])(await world.exec(link, [option]));
      for (const option of ['--help', '-h']) {
        const [code, stdout, stderr] = await said(option);
        assert.deepEqual([code, stderr], [0, ''], link);
        assert.match(stdout, new RegExp(`^${link.split('-')[0]} runs this program.*\\.\nringbearer\\(1\\)`, 'i'));
      }
      for (const option of ['--version', '-V']) assert.match((await said(option)).join(), new RegExp(`^0,${link} \\(ringbearer\\) \\d`));
    }
  });

  test('usage errors name the way out', async () => {
    await usage([]);
    await usage(['--nonsense']);
    for (const command of ['token', 'add', 'secret', 'show', 'refresh', 'remove']) {
      await usage([command], new RegExp(`see \`ringbearer help ${command}\``));
      await usage([command, '--nonsense'], /--nonsense is not known here/);
      await usage([command, 'one', 'two'], /^(secret|add)$/.test(command) ? /` takes one argument, the account/ : /`two` is one argument too many/);
      await usage([command, '../x', ...(command === 'add' ? keyFlags : [])], /no name of an account/);
    }
    for (const command of ['list', 'providers']) await usage([command, 'more'], /one argument too many/);
    await usage(['list', '--jsno'], /--jsno is not known here; did you mean --json\?/);
    await usage(['list', '--json=yes'], /--json takes no value/);
    await usage(['list', '--passwords', '-xyz'], /the option -x is not known here/);
    await usage(['get', '--account'], /--account wants a value/);
  });

  test('S2:38 what may be a secret is not said again', async () => {
    const words = [
      ...['client-secret', 'api_key', 'secret', 'password', 'nonsense'].map((option) => ['add', next(), '--grant=api_key', `--${option}=${KEY}`]),
      ...['--secret', '--secret-stdin', '--api-key', '--grant=api_key'].flatMap((option) => [['add', next(), option, KEY], ['secret', next(), option, KEY]]),
      ['secret', next(), KEY], ['token', `--nonsense=${KEY}`, next()], ['get', `--json=${KEY}`],
    ];
    for (const each of words) {
      const { code, stdout, stderr } = await world.run(each);
      assert.deepEqual([code, stdout, stderr.includes(KEY)], [2, '', false], stderr);
      assert.match(stderr, /^ringbearer: [^\n]+\n$/);
    }
    await usage(words[0], /a secret is not given as an option; leave --client-secret out and it is asked for, or use --secret-stdin/);
  });

  test('what was meant is guessed', async () => {
    const name = await addKey(world, next());
    const off = `${name}e`;
    await usage(['help', 'lst'], /there is no command `lst`; did you mean `list`\?/);
    await usage(['add', name, '--grnt=api_key'], /did you mean --grant\?/);
    await usage(['add', name, '--tokenendpoint=x'], /did you mean --token-endpoint\?/);
    await usage(['get', '--acount=x'], /did you mean --account\?/);
    await usage(['get', name], new RegExp(`\`${name}\` is one argument too many; write --account=${name}$`, 'm'));
    const there = new RegExp(`there is no account \`${off}\`; did you mean \`${name}\`\\?`);
    for (const words of [['show', off], ['token', off], ['get', `--account=${off}`], ['remove', off], ['login', off]]) {
      const { code, stdout, stderr } = await world.run(words);
      assert.deepEqual([code, stdout], [1, ''], stderr);
      assert.match(stderr, there);
    }
    assert.match((await world.run(['show', 'quite-another'])).stderr, /there is no account `quite-another`; see `ringbearer list`/);
    const { code, stderr } = await world.run(['add', next(), '--provider=githb', '--grant=device_code']);
    assert.deepEqual([code, /there is no provider `githb`; did you mean `github`\?/.test(stderr)], [7, true], stderr);
    const { output } = await onTerminal(world, ['lst'], []);
    assert.match(output, /there is no command `lst`; did you mean `list`\?/);
    const silent = await world.run(['lst'], { input: '' });
    assert.deepEqual([silent.code, silent.stdout, silent.stderr], [0, '', '']);
  });

  test('token takes the account as an option, too', async () => {
    const name = await addKey(world, next());
    assert.equal((await world.must(['token', `--account=${name}`])).stdout.trim(), KEY);
    await usage(['token', `--account=${name}`, name], /one argument too many/);
  });

  test('no colour and nothing extra where nobody looks', async () => {
    for (const args of [['list'], ['providers'], ['help'], ['--version']]) {
      for (const env of [{}, { NO_COLOR: '1', TERM: 'xterm-256color' }]) {
        const { stdout, stderr } = await world.must(args, { env });
        assert.doesNotMatch(stdout + stderr, /\x1b/);
        assert.equal(stderr, '');
      }
    }
  });
});
