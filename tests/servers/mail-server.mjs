// SPDX-License-Identifier: MIT
//
// A mail server: Dovecot with IMAP and submission over TLS, in a folder of its own and without privileges. It takes
// XOAUTH2 and OAUTHBEARER and asks the authorization server about each token (RFC 7662). What is submitted goes to
// a relay that keeps it in memory, since Dovecot delivers nothing itself.

import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const NOBODY = 65534;
const PATIENCE_MS = 15000;
const isRoot = process.getuid() === 0;

// The least of SMTP that a relay must do; answers { port, received, close() }.
async function startRelay() {
  const received = [];
  const server = net.createServer((socket) => {
    let text = '';
    let data = false;
    socket.on('error', () => {});
    socket.write('220 relay\r\n');
    socket.on('data', (chunk) => {
      text += chunk;
      for (let end; (end = text.indexOf(data ? '\r\n.\r\n' : '\r\n')) >= 0;) {
        const line = text.slice(0, end);
        text = text.slice(end + (data ? 5 : 2));
        if (data) received.push(line);
        data = !data && /^DATA$/i.test(line);
        socket.write(data ? '354 go on\r\n' : /^QUIT/i.test(line) ? '221 bye\r\n' : '250 relay\r\n');
      }
    });
  });
  await new Promise((resolve, reject) => { server.once('error', reject).listen(0, '127.0.0.1', resolve); });
  return { port: server.address().port, received, close: () => server.close() };
}

async function freePorts(count) {
  const servers = Array.from({ length: count }, () => net.createServer());
  await Promise.all(servers.map((server) => new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); })));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => { server.close(resolve); })));
  return ports;
}

const block = (name, lines) => [`${name} {`, ...lines.map((line) => `  ${line}`), '}'];
const listener = (name, port) => block(`inet_listener ${name}`, port ? [`port = ${port}`, 'ssl = yes'] : ['port = 0']);

function configuration(folder, { imaps, submissions, relay }) {
  const user = os.userInfo(isRoot ? { uid: NOBODY } : {}).username;
  const [me, ours] = isRoot ? ['nobody', 'nogroup'] : [user, execFileSync('id', ['-gn'], { encoding: 'utf8' }).trim()];
  return [
    `base_dir = ${folder}/run`, `state_dir = ${folder}/run`, `log_path = ${folder}/log`,
    `default_internal_user = ${me}`, `default_internal_group = ${ours}`, `default_login_user = ${me}`,
    'protocols = imap submission', 'listen = 127.0.0.1', 'hostname = localhost',
    'ssl = required', `ssl_cert = <${folder}/cert.pem`, `ssl_key = <${folder}/key.pem`,
    'auth_mechanisms = xoauth2 oauthbearer', 'auth_verbose = yes', 'auth_failure_delay = 0',
    `mail_location = maildir:${folder}/mail/%u`, 'submission_relay_host = 127.0.0.1', `submission_relay_port = ${relay}`,
    // No anvil-auth-penalty: whoever fails would wait longer each time.
    ...block('service anvil', ['chroot =', ...block('unix_listener anvil-auth-penalty', ['mode = 0'])]),
    ...block('service imap-login', ['chroot =', ...listener('imap'), ...listener('imaps', imaps)]),
    ...block('service submission-login', ['chroot =', ...listener('submission'), ...listener('submissions', submissions)]),
    ...block('passdb', ['driver = oauth2', 'mechanisms = xoauth2 oauthbearer', `args = ${folder}/oauth2.conf`]),
    ...block('userdb', ['driver = static', `args = uid=${isRoot ? NOBODY : process.getuid()} gid=${isRoot ? NOBODY : process.getgid()} home=${folder}/home/%u`]),
  ];
}

const accepts = (port) => new Promise((resolve) => {
  const socket = net.connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true); }).once('error', () => resolve(false));
});

// `introspection`: the endpoint's URL with a client's name and password in it; `certificates`: a folder with server.key
// and server.pem. Answers { imaps, submissions, folder, received, deliver(), log(), stop() }.
export async function startMailServer({ introspection, certificates, env }) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rbm-'));
  const relay = await startRelay();
  const [imaps, submissions] = await freePorts(2);
  const write = (name, lines) => fs.writeFileSync(path.join(folder, name), `${lines.join('\n')}\n`);
  fs.copyFileSync(path.join(certificates, 'server.pem'), path.join(folder, 'cert.pem'));
  fs.copyFileSync(path.join(certificates, 'server.key'), path.join(folder, 'key.pem'));
  write('dovecot.conf', configuration(folder, { imaps, submissions, relay: relay.port }));
  write('oauth2.conf', [
    'introspection_mode = post', `introspection_url = ${introspection}`, 'username_attribute = sub', 'active_attribute = active',
    'active_value = true',
  ]);
  for (const name of ['run', 'mail', 'home']) fs.mkdirSync(path.join(folder, name));
  if (isRoot) for (const name of ['', ...fs.readdirSync(folder)]) fs.chownSync(path.join(folder, name), NOBODY, NOBODY);

  const own = isRoot ? { uid: NOBODY, gid: NOBODY } : {};
  const child = spawn('dovecot', ['-F', '-c', `${folder}/dovecot.conf`], { env, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'], ...own });
  const ended = new Promise((resolve) => { child.once('close', resolve).once('error', resolve); });
  let running = true;
  let said = '';
  child.stderr.on('data', (chunk) => { said += chunk; });
  ended.then(() => { running = false; });
  const log = () => said + (fs.existsSync(`${folder}/log`) ? fs.readFileSync(`${folder}/log`, 'utf8') : '');
  const stop = async () => {
    if (running) child.kill('SIGTERM');
    await ended;
    relay.close();
    fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  for (const deadline = performance.now() + PATIENCE_MS; !(await accepts(imaps) && await accepts(submissions));) {
    if (!running || performance.now() > deadline) {
      const reason = log();
      await stop();
      throw new Error(`dovecot did not come up: ${reason}`);
    }
    await pause(20);
  }
  // Puts a message into a person's inbox.
  const deliver = (user, text) => {
    for (const name of ['', 'new', 'cur', 'tmp']) {
      const each = path.join(folder, 'mail', user, name);
      fs.mkdirSync(each, { recursive: true });
      if (isRoot) fs.chownSync(each, NOBODY, NOBODY);
    }
    const file = path.join(folder, 'mail', user, 'new', `1.${process.pid}.${text.length}`);
    fs.writeFileSync(file, text);
    if (isRoot) fs.chownSync(file, NOBODY, NOBODY);
  };
  return { imaps, submissions, folder, received: relay.received, deliver, log, stop };
}
