// SPDX-License-Identifier: MIT
//
// Terraform and OpenTofu: the real program, where it is here, against a private module registry, with the README's
// configuration; and the words of terraform-credentials-… programs.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { openModules } from '../servers/modules.mjs';
import { addGeneric, afresh, closeWorld } from './lib/accounts.mjs';
import { run } from './lib/processes.mjs';
import { block } from './lib/readme.mjs';
import { addKey, unique } from './lib/small-accounts.mjs';
import { World } from './lib/world.mjs';

const NAME = unique('terraform');
const PROGRAMS = ['terraform', 'tofu'];
let world;
let modules;
let host;

const helper = (words, input = '') => world.exec('terraform-credentials-ringbearer', words, { input });
const is = (program) => run(program, ['version'], { env: { PATH: process.env.PATH } }).then(() => true, () => false);

before(async () => {
  world = await World.create();
  modules = await openModules(world);
  host = modules.host;
  await addGeneric(world, NAME, { match: `https://${host}/` });
});
after(async () => {
  await modules.close();
  await closeWorld(world);
});
beforeEach(async () => {
  await world.control.reset();
  await afresh(world, NAME);
});

describe('the real program', () => {
  const env = () => ({ SSL_CERT_FILE: world.caFile, CHECKPOINT_DISABLE: '1', TF_CLI_CONFIG_FILE: path.join(world.env.HOME, '.terraformrc') });

  before(() => {
    const plugins = path.join(world.env.HOME, '.terraform.d/plugins');
    fs.mkdirSync(plugins, { recursive: true });
    fs.symlinkSync(path.join(world.dir, 'bin/terraform-credentials-ringbearer'), path.join(plugins, 'terraform-credentials-ringbearer'));
    fs.writeFileSync(path.join(world.env.HOME, '.terraformrc'), block('terraform'));
  });

  for (const program of PROGRAMS) {
    test(`${program} fetches a private module`, async (t) => {
      if (!await is(program)) return t.skip(`${program} is missing`);
      const cwd = path.join(world.dir, program);
      fs.mkdirSync(cwd);
      fs.writeFileSync(path.join(cwd, 'main.tf'), `module "sample" {\n  source  = "${host}/acme/sample/null"\n  version = "1.0.0"\n}\n`);
      modules.seen.length = 0;
      const { code, stdout, stderr } = await world.exec(program, ['init', '-no-color', '-input=false'], { cwd, env: env() });
      assert.equal(code, 0, stdout + stderr);
      assert.ok(modules.seen.some(({ path: where, status, token }) => where.endsWith('/versions') && status === 200 && token));
      assert.ok(modules.seen.every(({ status }) => status < 400));
      return undefined;
    });

    test(`${program} logout is told where logins end`, async (t) => {
      if (!await is(program)) return t.skip(`${program} is missing`);
      const { code, stdout, stderr } = await world.exec(program, ['logout', '-no-color', host], { env: env() });
      assert.notEqual(code, 0, stdout);
      assert.match((stdout + stderr).replaceAll(/\s+/g, ' '), new RegExp(`ringbearer logout ${NAME}`));
      return undefined;
    });
  }
});

describe('get', () => {
  test('has the token, whatever stands before the verb', async () => {
    for (const words of [['get', host], ['--profile=x', 'store', 'get', host]]) {
      const { code, stdout, stderr } = await helper(words);
      assert.equal(code, 0, stderr);
      const { token, ...rest } = JSON.parse(stdout);
      assert.deepEqual(rest, {});
      assert.equal((await world.api('/rest/v2/segments', token)).status, 200);
    }
  });

  test('has any token in it', async () => {
    const token = '"\\q\'{}</s>';
    await addKey(world, unique('odd'), { match: 'https://xn--exmple-cua.example.test/' }, token);
    assert.deepEqual(JSON.parse((await helper(['get', 'xn--exmple-cua.example.test'])).stdout), { token });
  });

  test('is an empty object where no account answers', async () => {
    for (const where of ['app.example.test', '127.0.0.1:1', '[::1]:8443']) {
      assert.deepEqual(await helper(['get', where]).then(({ code, stdout, stderr }) => [code, stdout, stderr]), [0, '{}\n', ''], where);
    }
  });

  test('is refused for what is no host', async () => {
    for (const where of ['', `${host}/v1`, `x@${host}`, `${host}?`, `${host}#`, 'a b', 'a:b', `\\${host}`, 'a'.repeat(5000)]) {
      const { code, stdout, stderr } = await helper(['get', where]);
      assert.deepEqual([code, stdout], [2, ''], where);
      assert.match(stderr, /^ringbearer: [^\n]+; [^\n]+\n$/);
    }
  });

  test('fails where no token can be had', async () => {
    await world.control.fault({ kind: 'error', error: 'invalid_client', status: 401, count: 99 });
    const { code, stdout, stderr } = await helper(['get', host]);
    assert.deepEqual([code, stdout], [6, '']);
    assert.match(stderr, /^ringbearer: terraform-\d+: [^\n]+\n$/);
  });

  test('again within seconds has a fresh token', async () => {
    const token = async () => JSON.parse((await helper(['get', host])).stdout).token;
    assert.notEqual(await token(), await token());
  });
});

describe('the other verbs', () => {
  test('store reads to the end and says no', async () => {
    for (const [where, words] of [[host, `${NAME}[^\n]*ringbearer secret ${NAME}`], ['app.example.test', 'ringbearer add']]) {
      for (const input of ['{"token":"x"}', '{', 'x'.repeat(500000)]) {
        const { code, stdout, stderr } = await helper(['store', where], input);
        assert.deepEqual([code, stdout], [2, '']);
        assert.match(stderr, new RegExp(`^ringbearer: [^\n]*${words}[^\n]*\n$`));
      }
    }
  });

  test('forget does nothing where there is nothing, and points to logout elsewhere', async () => {
    assert.deepEqual(await helper(['forget', 'app.example.test']).then(({ code, stdout, stderr }) => [code, stdout, stderr]), [0, '', '']);
    const { code, stdout, stderr } = await helper(['forget', host]);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, new RegExp(`ringbearer logout ${NAME}`));
  });

  test('anything else is an error', async () => {
    for (const words of [[], ['get'], ['list', host], [host, 'get']]) {
      const { code, stdout, stderr } = await helper(words);
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, /credentials_helper/);
    }
  });
});
