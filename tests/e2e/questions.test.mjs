// SPDX-License-Identifier: MIT
//
// What `add` asks at a terminal when something is missing, and that it asks for nothing where nothing is.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { closeWorld } from './lib/accounts.mjs';
import { readMessage } from './lib/message.mjs';
import { unique } from './lib/small-accounts.mjs';
import { onTerminal } from './lib/terminal.mjs';
import { World } from './lib/world.mjs';

describe('questions', () => {
  let world;
  let counter = 0;
  const next = () => { counter += 1; return unique(`questions-${counter}`); };
  const fileOf = (name) => path.join(world.env.XDG_CONFIG_HOME, 'ringbearer', 'accounts', name);
  const kept = (name) => readMessage(fs.readFileSync(fileOf(name), 'utf8'));
  const ENTER = '\n';

  before(async () => { world = await World.create({ servers: false }); });
  after(() => closeWorld(world));

  test('a service that is known: one question at a time, wrong answers said and asked again, and what to type next', async () => {
    const name = next();
    const { code, output } = await onTerminal(world, ['add', name], [
      [/Which service\?.*: $/, 'bluconic\n'],
      [/did you mean `blueconic`\?[^]*Which service\?.*: $/, 'blueconic\n'],
      [/Your tenant.*in blueconic\.net: $/, ENTER],
      [/cannot do without this[^]*tenant.*: $/, 'a b\n'],
      [/tenant[^]*Your tenant.*: $/, ' acme \n'],
      [/How are tokens obtained\? authorization_code, client_credentials \[client_credentials\]: $/, 'device_code\n'],
      [/not known to take `device_code`, but authorization_code, client_credentials; .*--grant=device_code\s[^]*obtained\?.*: $/, ENTER],
      [/Client id.*: $/, 'an-id\n'],
      [/rest\?.*secret_service.*\[secret_service\]: $/, 'secret_servce\n'],
      [/no store `secret_servce`[^]*rest\?.*: $/, ENTER],
      [/Client secret of .*shown\): $/, ENTER],
      [/empty[^]*shown\): $/, 'a-secret-of-questions\n'],
    ]);
    assert.equal(code, 0, output);
    assert.ok(output.endsWith(`${name}: added. Now run:\n  ringbearer token ${name} --show\n  ringbearer doctor ${name}\n`), output);
    assert.deepEqual(kept(name), { provider: 'blueconic', tenant: 'acme', grant: 'client_credentials', client_id: 'an-id' });
    assert.ok(!output.includes('a-secret-of-questions'));
    assert.ok((await world.run(['doctor', name, '--with-secrets'])).stdout.includes('its client secret can be read'));
  });

  test('a service that is not known, and a login', async () => {
    const name = next();
    const { code, output } = await onTerminal(world, ['add', name, '--client-auth=none'], [
      [/Which service\?.*: $/, ENTER],
      [/How are tokens obtained\?.*: $/, 'device_code\n'],
      [/issuer.*: $/, ENTER],
      [/token endpoint: $/, 'http://example.com/token\n'],
      [/https[^]*token endpoint: $/, 'https://example.com/token\n'],
      [/device authorization endpoint: $/, 'https://example.com/device\n'],
      [/Client id.*: $/, 'an-id\n'],
      [/Scopes.*: $/, 'read write\n'],
      [/address.*: $/, 'https://api.example.com/\n'],
      [/rest\?.*: $/, ENTER],
    ]);
    assert.equal(code, 0, output);
    assert.ok(output.endsWith(`${name}: added. Now run:\n  ringbearer login ${name}\n  ringbearer token ${name} --show\n`), output);
    const { scope, match, device_authorization_endpoint } = kept(name);
    assert.deepEqual([scope, match, device_authorization_endpoint], ['read write', 'https://api.example.com/', 'https://example.com/device']);
  });

  test('the grants that are offered are those that the service takes: as its file says, or for which it has what they need', async () => {
    const offered = async (...flags) => {
      const { output } = await onTerminal(world, ['add', next(), ...flags], [[/How are tokens obtained\?.*: $/, '\x03']]);
      return /obtained\? (.*) \[(.*)\]: /.exec(output).slice(1);
    };
    assert.deepEqual(await offered('--provider=github'), ['api_key, authorization_code, device_code', 'authorization_code']);
    assert.deepEqual(await offered('--provider=codeberg'), ['api_key, authorization_code', 'authorization_code']);
    assert.deepEqual(await offered('--provider=codeberg', '--client-auth=client_secret_post'), ['api_key, authorization_code, client_credentials', 'client_credentials']);
    assert.deepEqual(await offered('--provider=heroku'), ['api_key, authorization_code, client_credentials', 'client_credentials']);
    assert.deepEqual(await offered('--provider=oauth2'), ['api_key, authorization_code, client_credentials, device_code', 'client_credentials']);
    assert.deepEqual(await offered('--provider=oidc', '--client-id=x'), ['api_key, authorization_code, client_credentials, device_code', 'client_credentials']);
    // What a person names in so many words is theirs to know.
    const { code, output } = await onTerminal(world, ['add', next(), '--provider=github', '--grant=client_credentials'], [[/Client id.*: $/, 'x\n'], [/Scopes.*: $/, ENTER], [/rest\?.*: $/, ENTER], [/shown\): $/, 'x\n']]);
    assert.equal(code, 0, output);
  });

  test('an issuer that is not reached is said at once, before the other questions', async () => {
    const gone = `https://127.0.0.1:${await World.freePort()}/`;
    const typed = await onTerminal(world, ['add', next()], [
      [/Which service\?.*: $/, 'oidc\n'],
      [/How are tokens obtained\?.*: $/, ENTER],
      [/issuer.*: $/, `${gone}\n`],
      [/127\.0\.0\.1[^]*issuer.*: $/, ENTER],
      [/token endpoint: $/, '\x03'],
    ]);
    assert.match(typed.output, /issuer, which says[^]*asking https:\/\/127\.0\.0\.1:\d+\/ …[^]*issuer, which says/);
    const named = await onTerminal(world, ['add', next(), '--provider=oidc', '--grant=client_credentials', `--issuer=${gone}`], []);
    assert.deepEqual([named.code, /Client id|Scopes/.test(named.output)], [5, false], named.output);
  });

  test('a value on the command line that will not do, too', async () => {
    for (const [flag, says] of [['--timeout=soon', /`timeout` cannot be/], ['--grant=apikey', /did you mean `api_key`/], ['--store=fil', /no store `fil`/]]) {
      const { code, output } = await onTerminal(world, ['add', next(), flag], []);
      assert.deepEqual([code, says.test(output), /Which service/.test(output)], [7, true, false], output);
    }
  });

  test('only what is missing is asked for, and nothing with --no-questions or through a pipe', async () => {
    const flags = ['--provider=blueconic', '--tenant=acme', '--grant=client_credentials'];
    const one = next();
    const asked = await onTerminal(world, ['add', one, ...flags], [[/^Client id.*: $/, 'an-id\n'], [/rest\?.*: $/, ENTER], [/shown\): $/, 'x\n']]);
    assert.equal(asked.code, 0, asked.output);
    assert.doesNotMatch(asked.output, /tenant|Which service|Scopes/);
    const none = await onTerminal(world, ['add', next(), ...flags, '--no-questions'], []);
    const piped = await world.run(['add', next(), ...flags, '--secret-stdin'], { input: 'x' });
    for (const { code, output, stderr } of [none, piped]) assert.deepEqual([code, /client_id/.test(output ?? stderr)], [7, true], output ?? stderr);
    const whole = await onTerminal(world, ['add', next(), ...flags, '--client-id=an-id'], [[/^Client secret.*shown\): $/, 'x\n']]);
    assert.match(whole.output, /added; try `ringbearer token/);
  });

  test('Ctrl-C and Ctrl-D leave nothing behind', async () => {
    for (const typed of ['\x03', '\x04']) {
      for (const before of [[], [[/Which service\?.*: $/, 'github\n'], [/How are.*: $/, ENTER]]]) {
        const name = next();
        const { code, output } = await onTerminal(world, ['add', name], [...before, [/: $/, typed]]);
        assert.notEqual(code, 0, output);
        if (typed === '\x04') assert.match(output, /nothing was kept/);
        assert.deepEqual(fs.existsSync(fileOf(name)), false);
      }
    }
  });
});
