// SPDX-License-Identifier: MIT
//
// What befalls a cluster of etcd, and what is said of it: each cause has words of its own, which say what to do. And what may have
// been done though no answer came: a stand-in between a machine and etcd hands requests on and swallows answers.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Etcd, MACHINE, base64, etcdMissing } from '../servers/etcd.mjs';
import { CODES, Machine, modules, undrivable } from './suite/machine.mjs';

const missing = !fs.existsSync(path.join(modules, 'store-etcd.so')) ? 'this build has no libsodium' : etcdMissing() || undrivable();
const BASE = '/ringbearer/acme/refresh_token/suite/https:%2F%2Flogin.example.test%2Ftoken';

async function listening(server) {
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return server.address().port;
}

describe('etcd, when something is wrong', { skip: missing }, () => {
  let three;
  let one;
  const clusters = [];
  const machines = [];
  const servers = [];
  before(async () => {
    [three, one] = await Promise.all([cluster({ nodes: 3 }), cluster({ tls: false })]);
  });
  after(async () => {
    for (const server of servers) server.close();
    for (const server of servers) server.closeAllConnections?.();
    await Promise.all(machines.map((machine) => machine.stop()));
    await Promise.all(clusters.map((etcd) => etcd.stop()));
  });

  async function cluster(options) {
    const etcd = await Etcd.start(options);
    clusters.push(etcd);
    return etcd;
  }

  async function machine(keys, env = {}) {
    const each = await Machine.start(keys, { env });
    machines.push(each);
    return each;
  }
  const well = async (promise) => {
    const answer = await promise;
    assert.equal(answer.code, 0, answer.why);
    return answer;
  };
  const refused = async (promise, words, code = CODES.unavailable) => {
    const answer = await promise;
    assert.deepEqual([answer.code, words.test(answer.why)], [code, true], `${answer.code}: ${answer.why}`);
    assert.match(answer.why, code === CODES.absent ? /^$/ : /;/, 'what to do');
    return answer;
  };
  const says = async (keys, words, code) => refused((await machine(keys)).do('lookup'), words, code);
  const at = (port, keys = {}) => ({ store: 'etcd', store_endpoint: `http://127.0.0.1:${port}`, ...keys });

  // Answers each request with what HANDLER says: [status, body], or nothing at all.
  async function standIn(handler) {
    const server = http.createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => { body += chunk; });
      request.on('end', () => handler({ url: request.url, body }, response, request.socket));
    });
    server.on('clientError', (error, socket) => socket.destroy());
    servers.push(server);
    return listening(server);
  }
  const answering = (status, body) => standIn((request, response) => { response.writeHead(status); response.end(body); });

  test('nothing listens: each endpoint is named, and no time is lost', async () => {
    const begun = performance.now();
    await says({ store: 'etcd', store_endpoint: ['http://127.0.0.1:1', 'http://127.0.0.1:2'] },
      /^etcd was not reached \(http:\/\/127\.0\.0\.1:1: nothing listens there, http:\/\/127\.0\.0\.1:2: nothing listens there\); start it, or mend `store_endpoint`$/);
    assert.ok(performance.now() - begun < 5000);
  });

  test('no endpoint, too many of them, a prefix that is too long, half a certificate', async () => {
    await says({ store: 'etcd' }, /`store_endpoint` is not set; add/, CODES.config);
    await says({ store: 'etcd', store_endpoint: Array.from({ length: 17 }, (_, i) => `http://127.0.0.1:${i + 1}`) }, /more than 16 `store_endpoint`/, CODES.config);
    await says(at(1, { store_prefix: `/${'x'.repeat(300)}` }), /`store_prefix` is longer than/, CODES.config);
    await says(at(1, { store_certificate: one.file('../a.log') }), /`store_certificate` and `store_certificate_key` belong together/, CODES.config);
    await says(at(1, { store_ca_file: '/nowhere/ca.pem' }), /`store_ca_file`: \/nowhere\/ca\.pem cannot be read \(No such file/, CODES.config);
  });

  test('what answers is not etcd', async () => {
    for (const [status, body] of [[404, 'Not Found\n'], [200, '<html>'], [502, '{"error":"x"}'], [200, '[]'], [301, '']]) {
      await says(at(await answering(status, body)), /what answers is not etcd with its JSON gateway \(http:.*: it answers with status \d+, and not as etcd does\)/);
    }
    const closed = await cluster({ tls: false, extra: ['--enable-grpc-gateway=false'], gateway: false });
    await says(closed.keys, /with status 404.*--enable-grpc-gateway=false/);
  });

  test('an answer that is none of etcd\'s, or never ends, is refused', async () => {
    const pair = (changes) => JSON.stringify({ header: { revision: '3' }, kvs: [{ key: base64(`${BASE}/value`), mod_revision: '2', value: base64('x'), ...changes }] });
    const bad = [pair({ value: 'A' }), pair({ value: 'AAAA=' }), pair({ value: 7 }), pair({ key: base64('a\0b') }), pair({ mod_revision: '-1' }), pair({ mod_revision: '9'.repeat(30) }),
      pair({ mod_revision: undefined }), pair({ lease: 'x' })];
    for (const body of bad) await says(at(await answering(200, body)), /answer is malformed/);
    for (const body of ['{"header":{"revision":"-3"}}', '{"header":{"revision":"x"}}']) await says(at(await answering(200, body)), /its answer is none of etcd's/);
    await says(at(await answering(200, `{"kvs":${'['.repeat(100)}${']'.repeat(100)}}`)), /not as etcd does/);
    const endless = await standIn((request, response) => {
      response.writeHead(200);
      const more = () => { while (response.writable && response.write('x'.repeat(65536))); };
      response.on('drain', more);
      more();
    });
    await says(at(endless), /what answers is not etcd .*its answer is too long/);
    const headers = await standIn((request, response, socket) => { socket.write(`HTTP/1.1 200 OK\r\n${'X-Y: z\r\n'.repeat(8000)}\r\n{}`); });
    await says(at(headers), /what answers is not etcd .*(its answer is too long|too large)/i);
    await says(at(await answering(200, pair({ value: base64('RBS') }))), /what etcd has as refresh_token of `acme` is damaged; /);
  });

  test('a silent endpoint costs a moment, and the others answer', async () => {
    const silent = net.createServer(() => {});
    servers.push(silent);
    const here = await machine({ ...three.keys, store_endpoint: [`https://127.0.0.1:${await listening(silent)}`, ...three.keys.store_endpoint] });
    await well(here.do('store', 'x'));
    const begun = performance.now();
    await well(here.do('lookup'));
    assert.ok(performance.now() - begun < 1000, 'and is not asked first again');
    await well(here.do('erase'));
    await refused((await machine({ store: 'etcd', store_endpoint: `http://127.0.0.1:${silent.address().port}`, remaining_ms: 700 })).do('lookup'), /took the request and gave no answer in time/);
  });

  test('no right certificate, on either side', async () => {
    const keys = three.keys;
    await says({ ...keys, store_ca_file: undefined }, /certificate is not accepted.*set `store_ca_file`/);
    await says({ ...keys, store_ca_file: three.file('rogue-ca.pem') }, /certificate is not accepted.*set `store_ca_file`/);
    await says({ ...keys, store_ca_file: three.file('client.key') }, /certificates for etcd cannot be used.*check `store_ca_file`/);
    // A node that hangs up can be faster than its reason.
    await says({ ...keys, store_certificate: undefined, store_certificate_key: undefined }, /(is not accepted|gave no answer|was not spoken to).*`store_certificate` and `store_certificate_key`/);
    await says({ ...keys, store_certificate: three.file('stranger.pem'), store_certificate_key: three.file('stranger.key') }, /(is not accepted|gave no answer|was not spoken to).*`store_certificate`/);
    await says({ ...keys, store_certificate_key: three.file('stranger.key') }, /certificates for etcd cannot be used/);
    // What the environment has for the rest of the world changes nothing, and the connection's keys are nobody's.
    const log = three.file('keys.log');
    const names = ['https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'];
    const elsewhere = await machine(keys, { ...Object.fromEntries(names.map((name) => [name, 'http://127.0.0.1:1'])), SSLKEYLOGFILE: log });
    await refused(elsewhere.do('lookup'), /^$/, CODES.absent);
    assert.ok(!fs.existsSync(log));
    const open = three.file('open.key');
    fs.copyFileSync(three.file('client.key'), open);
    fs.chmodSync(open, 0o644);
    await says({ ...keys, store_certificate_key: open }, /everybody on this machine can read/, CODES.config);
  });

  test('http for https, and https for http: the scheme is named; and doctor is told of an endpoint what to do about it', async () => {
    const keys = three.keys;
    const [first] = keys.store_endpoint;
    const plain = net.createServer((socket) => { socket.on('error', () => {}); socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'); });
    servers.push(plain);
    const [tls, none] = [/if it speaks TLS there, write https:\/\/ instead of http:\/\/ in `store_endpoint`$/, /if it speaks no TLS there, which only a loopback address may, write http:\/\/ instead of https:\/\/ in `store_endpoint`$/];
    for (const [changes, what, mend] of [
      [{ ...keys, store_endpoint: first.replace('https:', 'http:') }, /^etcd gave no answer \(http:[^ ]*: it closed the connection without a word\)/, tls],
      [at(await answering(400, 'Client sent an HTTP request to an HTTPS server.\n')), /with status 400/, tls],
      [{ ...one.keys, store_endpoint: one.keys.store_endpoint[0].replace('http:', 'https:') }, /^etcd was not spoken to \(https:[^ ]*: no TLS came about with it\)/, none],
      [{ store: 'etcd', store_endpoint: `https://127.0.0.1:${await listening(plain)}` }, /^etcd was not spoken to/, none],
      [{ ...keys, store_endpoint: first, store_ca_file: three.file('rogue-ca.pem') }, /is not accepted/, /; set `store_ca_file` to etcd's authority, and/],
      [{ ...keys, store_endpoint: first, store_certificate_key: three.file('stranger.key') }, /cannot be used/, /; check `store_ca_file`, `store_certificate` and/],
      [at(await answering(404, 'Not Found\n')), /not etcd/, /; have `store_endpoint` name the client URL of etcd/],
      [at(await answering(503, '{"code":14,"message":"etcdserver: no leader"}')), /has no leader/, /; more than half of its nodes must be running/],
      [at(1), /not reached/, /; start it, or mend `store_endpoint`$/],
      [{ store: 'etcd', store_endpoint: ['http://127.0.0.1:1', 'http://127.0.0.1:2'] }, /not reached/, /; start it, or (mend|take it out of) `store_endpoint`$/],
    ]) {
      const here = await machine({ remaining_ms: 3000, ...changes });
      const { why } = await refused(here.do('lookup'), what);
      const { alarm } = await here.do('describe');
      assert.match(why, mend);
      assert.match(alarm, mend);
      assert.ok([changes.store_endpoint].flat().some((url) => alarm.startsWith(`${url}: `)), alarm);
    }
  });

  test('a disk that is full, and one that has room again', async () => {
    const here = await machine(one.keys);
    await well(here.do('store', 'kept'));
    await one.fill();
    await refused(here.do('store', 'lost'), /no room left \(etcdserver: mvcc: database space exceeded\).*`etcdctl compact`.*`etcdctl alarm disarm`/);
    await refused(here.do('store_if', 0, 0, 'lost', 'hold'), /no room left/);
    assert.equal((await well(here.do('lookup'))).value, 'kept');
    assert.ok((await here.do('describe')).alarm.includes('no room left'));
    await one.relieve();
    await well(here.do('store', 'again'));
    await well(here.do('erase'));
  });

  test('who may not, is not known, or is named where nobody is', async () => {
    const users = await cluster({ users: true, tls: false });
    const password = MACHINE.password;
    const here = await machine({ ...users.keys, store_password: password });
    await well(here.do('store', 'x'));
    await well(here.do('view'));
    await well(here.do('wait', (await here.do('view')).revision, 50));
    await says({ ...users.keys, store_password: password, store_prefix: '/elsewhere/' }, /does not let machine read and write below \/elsewhere\/ .*`etcdctl role grant-permission ROLE readwrite --prefix=true \/elsewhere\/`/);
    await refused((await machine({ ...users.keys, store_password: password, store_prefix: '/elsewhere/' })).do('wait', 1, 3000), /does not let machine/);
    await says({ ...users.keys, store_password: 'wrong' }, /does not take the password of machine .*`ringbearer seal password`/);
    await says({ ...users.keys, store_user: undefined }, /wants to know who asks .*set `store_user`/);
    await says({ ...users.keys }, /this machine has no store_password/);
    await says({ ...one.keys, store_user: 'machine', store_password: password }, /etcd has no users, and `store_user` names one/);
    // A token that is over is renewed.
    await users.nodes[0].kill();
    await users.nodes[0].start();
    await users.nodes[0].up();
    assert.equal((await well(here.do('lookup'))).value, 'x');
  });

  test('a user\'s token that has become old is renewed, once', async () => {
    const seen = [];
    let old = 1;
    const port = await standIn(({ url }, response) => {
      seen.push(url.split('/').at(-1));
      const [status, answer] = url === '/v3/auth/authenticate' ? [200, { header: {}, token: `t.${seen.length}` }]
        : old > 0 ? [400, { message: 'etcdserver: revision of auth store is old', code: 3 }] : [200, { header: { revision: '5' } }];
      old -= url === '/v3/kv/range';
      response.writeHead(status);
      response.end(JSON.stringify(answer));
    });
    const here = await machine(at(port, { store_user: 'me', store_password: 'x' }));
    await refused(here.do('lookup'), /^$/, CODES.absent);
    assert.deepEqual(seen, ['authenticate', 'range', 'authenticate', 'range']);
    old = 5;
    await refused(here.do('lookup'), /does not take the password of me \(etcdserver: revision of auth store is old\)/);
  });

  test('no key, another key, damage, a later version, a value in another place', async () => {
    const here = await machine(one.keys);
    await well(here.do('store', 'secret'));
    await well(here.do('store_if', 0, 0, '-', 'hold', 'mark=x', 0));
    assert.ok(Object.values(await one.dump()).every(({ value }) => value.subarray(0, 3).toString() === 'RBS' && !value.includes('secret')));
    const keyless = await machine({ ...one.keys, seal_key: undefined });
    for (const words of ['lookup', 'view', 'store other', 'acquire me 10 0']) await refused(keyless.do(words), /this machine has no seal_key/);
    assert.deepEqual((await keyless.do('list', 'all')).items, ['acme refresh_token suite https://login.example.test/token']);
    const other = await machine({ ...one.keys, seal_key: '77'.repeat(32) });
    for (const words of ['lookup', 'view', 'store other', 'acquire me 10 0']) await refused(other.do(words), /sealed with another key than this machine has; .*`ringbearer seal import --replace`/);
    await well(here.do('store_if', 0, 0, '-', 'hold', 'mark=-', 0));
    const { value } = (await one.dump())[`${BASE}/value`];
    const changed = (at_, byte) => { const copy = Buffer.from(value); copy[at_] = byte; return copy; };
    for (let i = 0; i < value.length; i += 7) {
      await one.put(`${BASE}/value`, changed(i, value[i] ^ 1));
      await refused(here.do('lookup'), /is damaged|later version/);
    }
    await one.put(`${BASE}/value`, changed(3, 2));
    await refused(here.do('lookup'), /later version/);
    await one.put(`${BASE}/value`, value);
    for (const place of [`${BASE}/record/mark`, `${BASE}/lease`, BASE.replace('acme', 'other') + '/value']) await one.put(place, value);
    await refused(here.do('view'), /is not what was kept in this place/);
    await here.do('item', 'other', 'refresh_token');
    await refused(here.do('lookup'), /as refresh_token of `other` is not what was kept in this place/);
    await one.call('/v3/kv/deleterange', { key: base64('/ringbearer/'), range_end: base64('/ringbearer0') });
  });

  test('what etcd has compacted ends a wait, and is no error', async () => {
    const here = await machine(one.keys);
    await well(here.do('store', 'x'));
    const { revision } = await here.do('view');
    for (let i = 0; i < 3; i += 1) await one.put('/elsewhere', 'x');
    await one.call('/v3/kv/compaction', { revision: String(revision + 3) });
    const begun = performance.now();
    await well(here.do('wait', revision - 1, 20000));
    assert.ok(performance.now() - begun < 5000);
    await well(here.do('erase'));
  });

  test('a leader that dies is waited for', async () => {
    const here = await machine(three.keys);
    await well(here.do('store', 'x'));
    const leader = await three.leader();
    await leader.kill();
    await well(here.do('store', 'y'));
    assert.equal((await well(here.do('lookup'))).value, 'y');
    await leader.start();
    await leader.up();
  });

  test('a leader that stops in the middle is waited for; it comes back and knows nothing', async () => {
    const here = await machine({ ...three.keys, store_endpoint: three.keys.store_endpoint });
    await well(here.do('store', '0'));
    const leader = await three.leader();
    leader.pause();
    const { version } = await well(here.do('view'));
    await well(here.do('store_if', 0, version, '1', 'hold'));
    leader.resume();
    assert.equal((await well(here.do('lookup'))).value, '1');
    await three.leader();
  });

  test('without more than half of the nodes nothing is done, and that is said', async () => {
    const here = await machine({ ...three.keys, remaining_ms: 2500 });
    await well(here.do('store', 'x'));
    const cut = three.nodes.slice(0, 2);
    cut.forEach((node) => node.pause());
    await refused(here.do('store', 'y'), /etcd has no leader \(.*more than half of its nodes must be running/);
    await refused(here.do('describe'), /no leader/);
    // Who comes back within the time is waited for.
    const patient = await machine({ ...three.keys, store_endpoint: three.nodes[2].url });
    const waiting = patient.do('store', 'z');
    await new Promise((resolve) => { setTimeout(resolve, 300); });
    cut.forEach((node) => node.resume());
    await well(waiting);
    assert.equal((await well(here.do('lookup'))).value, 'z');
    await three.leader();
    await well(here.do('erase'));
  });

  test('what operations cost; and a lease that comes behind the transaction that needs it is asked for by itself', async () => {
    const seen = [];
    let delay = 0;
    const server = http2.createSecureServer({ cert: fs.readFileSync(three.file('node.pem')), key: fs.readFileSync(three.file('node.key')) }, (request, response) => {
      let body = '';
      request.on('data', (chunk) => { body += chunk; });
      request.on('end', async () => {
        seen.push(request.url.split('/').at(-1));
        if (request.url === '/v3/lease/grant' && JSON.parse(body).ID) await new Promise((resolve) => { setTimeout(resolve, delay); });
        else if (request.url === '/v3/kv/txn') await new Promise((resolve) => { setTimeout(resolve, 50 - delay / 2); });
        const { status, ...rest } = await three.call(request.url, JSON.parse(body), true);
        response.writeHead(status);
        response.end(JSON.stringify(rest));
      });
    });
    servers.push(server);
    const here = await machine({ ...three.keys, store_endpoint: `https://127.0.0.1:${await listening(server)}`, store_certificate: undefined, store_certificate_key: undefined });
    const sent = async (words, wanted) => {
      seen.length = 0;
      const answer = await well(here.do(...words));
      assert.deepEqual(seen.sort(), wanted, words[0]);
      return answer;
    };
    const cycle = async (lease) => {
      const mine = await sent(['acquire', 'me', 30, 0], lease);
      await sent(['store_if', mine.lease, 0, '-', 'hold', 'mark=x', 0], ['txn']);
      await sent(['store_if', mine.lease, mine.version, 'y', 'release', 'mark=-', 0, 'token=y', 90, 'verdict=z', 90], lease);
      const view = await sent(['view'], ['range']);
      assert.deepEqual([view.value, view.lease, Object.keys(view.records)], ['y', 0, ['', 'token', 'verdict']]);
    };
    await sent(['store', 'x'], ['range', 'txn']);
    await sent(['lookup'], ['range']);
    await cycle(['grant', 'txn']);
    delay = 100;
    await cycle(['grant', 'grant', 'txn', 'txn']);
    await well(here.do('erase'));
  });

  describe('when the answer does not come', () => {
    let port;
    let swallow = 0; // so many answers to transactions from now on
    let meanwhile; // done once the request was, before the answer is lost
    before(async () => {
      port = await standIn(async ({ url, body }, response, socket) => {
        const answer = await one.callAt(one.nodes[0], url, JSON.parse(body));
        if (url === '/v3/kv/txn' && swallow > 0) {
          swallow -= 1;
          await meanwhile?.();
          return socket.destroy();
        }
        const { status, ...rest } = answer;
        response.writeHead(status);
        return response.end(JSON.stringify(rest));
      });
    });

    // Both ends of the way: through the stand-in, and straight.
    async function pair() {
      const [through, straight] = await Promise.all([machine(at(port)), machine(one.keys)]);
      await well(straight.do('store', 'first'));
      meanwhile = undefined;
      return { through, straight };
    }

    test('what was kept is known, and not kept twice', async () => {
      const { through, straight } = await pair();
      swallow = 1;
      await well(through.do('store', 'second'));
      const seen = await straight.do('view');
      assert.deepEqual([seen.value, swallow], ['second', 0]);
      meanwhile = () => straight.do('store', 'third');
      swallow = 1;
      await refused(through.do('store', 'late'), /something else was changed meanwhile/);
      assert.equal((await straight.do('view')).value, 'third');
      meanwhile = undefined;
      swallow = 1;
      await well(through.do('erase'));
      assert.equal((await straight.do('view')).version, 0);
    });

    test('a lease that was taken is known as one\'s own', async () => {
      const { through, straight } = await pair();
      swallow = 1;
      const { lease, holder } = await well(through.do('acquire', 'me', 30, 0));
      assert.equal(holder, 'me');
      assert.equal((await straight.do('view')).lease, lease);
      await well(through.do('keep', lease));
      await well(through.do('store_if', lease, 0, '-', 'release'));
      await well(straight.do('erase'));
    });

    test('a change that was made is no conflict, and is made once', async () => {
      const { through, straight } = await pair();
      const { lease, version } = await well(through.do('acquire', 'me', 30, 0));
      swallow = 1;
      await well(through.do('store_if', lease, version, '-', 'hold', 'mark=x', 0));
      swallow = 1;
      const changed = await well(through.do('store_if', lease, version, 'second', 'release', 'mark=-', 0, 'token=t', 60));
      const seen = await straight.do('view');
      assert.deepEqual([seen.value, seen.version, seen.lease, Object.keys(seen.records)], ['second', changed.version, 0, ['', 'token']]);
      // Whether it was made cannot be known any more: neither "busy" nor "done".
      swallow = 1;
      meanwhile = () => straight.do('store', 'third');
      await refused(through.do('store_if', 0, seen.version, 'late', 'hold'), /something else was changed meanwhile/);
      assert.equal((await straight.do('view')).value, 'third');
      meanwhile = undefined;
      // Without a condition it is not made again.
      swallow = 1;
      await refused(through.do('store_if', 0, 0, 'blind', 'hold'), /etcd gave no answer/);
      assert.equal(swallow, 0);
      await well(straight.do('erase'));
    });
  });
});
