// SPDX-License-Identifier: MIT
//
// A desktop for the session of a world without a keyring: a display, and KeePassXC or KWallet on it as the Secret Service,
// with a database or a wallet of their own. Where a person would act, tests do so over D-Bus or with keys.
//
//     const desktop = await startDesktop(world);
//     const keepassxc = await startKeePassXC(desktop, { settings: { FdoSecrets: { ConfirmAccessItem: true } } });
//
// What is started ends with its world (session-keeper.sh). KWallet speaks no key exchange without QCA's OpenSSL module.

import { spawnSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { until } from './until.mjs';
import { start } from './processes.mjs';

export const PASSWORD = 'password';
const SECRETS = 'org.freedesktop.secrets';
const SERVICE = '/org/freedesktop/secrets';

// Those of PROGRAMS that are not here, as a reason to skip; false if all are.
export function missing(...programs) {
  const absent = programs.filter((name) => spawnSync('sh', ['-c', 'command -v "$0"', name]).status !== 0);
  return absent.length > 0 && `missing: ${absent.join(', ')}`;
}

class Desktop {
  constructor(world, env) {
    this.world = world;
    this.env = env;
  }

  exec(file, args, options) { return this.world.exec(file, args, { ...options, env: this.env }); }

  // What a method answers, as dbus-send prints it; undefined if it fails.
  async call(destination, where, ...message) {
    const { code, stdout } = await this.exec('dbus-send', ['--session', '--print-reply', '--reply-timeout=5000', `--dest=${destination}`, where, ...message]);
    return code === 0 ? stdout : undefined;
  }

  async secretsOwned() {
    return /boolean true/.test(await this.call('org.freedesktop.DBus', '/', 'org.freedesktop.DBus.NameHasOwner', `string:${SECRETS}`));
  }

  // Of the default keyring; undefined if there is none.
  async locked() {
    const alias = await this.call(SECRETS, SERVICE, 'org.freedesktop.Secret.Service.ReadAlias', 'string:default');
    const where = /object path "(.*)"/.exec(alias)?.[1];
    const property = ['org.freedesktop.DBus.Properties.Get', 'string:org.freedesktop.Secret.Collection', 'string:Locked'];
    const reply = where === undefined || where === '/' ? undefined : await this.call(SECRETS, where, ...property);
    return reply && /boolean true/.test(reply);
  }

  // The windows that a person sees: { id, title }. An asterisk for what is not saved yet is left out.
  async #visible() {
    const { stdout } = await this.exec('xdotool', ['search', '--onlyvisible', '--maxdepth', '1', '--class', '.']);
    const ids = stdout.split('\n').filter(Boolean);
    if (ids.length === 0) return [];
    const names = await this.exec('xdotool', ids.flatMap((id) => ['getwindowname', id]));
    const titles = names.stdout.replaceAll('*', '').split('\n');
    return ids.map((id, i) => ({ id, title: titles[i] || 'untitled' }));
  }

  async windows() { return (await this.#visible()).map(({ title }) => title).sort(); }

  // The id of the window with that title, once it is there.
  shows(title) {
    return until(async () => (await this.#visible()).find((each) => title.test(each.title))?.id, `a window ${title}`);
  }

  // A person at the keyboard of that window, until it is gone: one that has just come may not listen yet.
  async type(title, text, ...keys) {
    const id = await this.shows(title);
    const gone = async () => !(await this.#visible()).some((each) => each.id === id);
    for (let tries = 0; tries < 8; tries += 1) {
      await this.exec('xdotool', ['windowfocus', id], { timeout: 5000 });
      if (text) await this.exec('xdotool', ['key', 'ctrl+a', 'type', text]);
      await this.exec('xdotool', ['key', ...keys]);
      if (await until(gone, 'the window is gone', { patience: 2000 }).then(() => true, () => false)) return;
    }
    throw new Error(`the window ${title} does not go; there are ${await this.windows()}`);
  }

  // A program that becomes the Secret Service.
  async own(file, args, { input, ...options } = {}) {
    await until(async () => !await this.secretsOwned(), 'the name is free');
    const log = fs.openSync(path.join(this.world.dir, 'desktop.log'), 'a');
    const child = start(file, args, { ...options, env: this.env, stdio: ['pipe', log, log] });
    fs.closeSync(log);
    child.stdin.on('error', () => {});
    child.stdin.end(input ?? '');
    await until(() => this.secretsOwned(), `${file} is the Secret Service`, { patience: 30000 });
    return child;
  }
}

export async function startDesktop(world) {
  const log = fs.openSync(path.join(world.dir, 'display.log'), 'a');
  const display = start('Xvfb', ['-displayfd', '3', '-screen', '0', '1024x768x24', '-nolisten', 'tcp'], {
    env: world.env, stdio: ['ignore', log, log, 'pipe'],
  });
  fs.closeSync(log);
  const number = await new Promise((resolve, reject) => {
    let text = '';
    display.stdio[3].on('data', (chunk) => {
      text += chunk;
      if (text.endsWith('\n')) resolve(text.trim());
    });
    display.ended.then(() => reject(new Error('Xvfb ended')));
  });
  // KeePassXC is started once for each folder of temporary files.
  return new Desktop(world, { ...world.env, TMPDIR: world.dir, DISPLAY: `:${number}`, QT_QPA_PLATFORM: 'xcb', KDE_FULL_SESSION: undefined });
}

// ---- gnome-keyring

// Its prompter is started by the bus (World's `activation`), and must know the display.
export const showPrompter = (desktop) => desktop.call('org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus.UpdateActivationEnvironment',
  `dict:string:string:DISPLAY,${desktop.env.DISPLAY}`);

// ---- KeePassXC

const KEEPASSXC = 'org.keepassxc.KeePassXC.MainWindow';
const ROOT = ['AAAAAAAAAAAAAAAAAAAAAQ==', '{00000000-0000-0000-0000-000000000001}'];
const databaseText = (exposed) => `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<KeePassFile>
<Meta><DatabaseName>test</DatabaseName><RecycleBinEnabled>True</RecycleBinEnabled>
<CustomData>${exposed ? `<Item><Key>FDO_SECRETS_EXPOSED_GROUP</Key><Value>${ROOT[1]}</Value></Item>` : ''}</CustomData></Meta>
<Root><Group><UUID>${ROOT[0]}</UUID><Name>Root</Name></Group></Root>
</KeePassFile>
`;
const SETTINGS = {
  General: { ConfigVersion: 2, UpdateCheckMessageShown: true },
  GUI: { CheckForUpdates: false },
  FdoSecrets: { Enabled: true, ShowNotification: false, ConfirmAccessItem: false, ConfirmDeleteItem: false },
  Security: { LockDatabaseIdle: false, NoConfirmMoveEntryToRecycleBin: true },
};

function writeSettings(file, settings) {
  const sections = Object.entries(SETTINGS).map(([name, values]) => {
    const lines = Object.entries({ ...values, ...settings[name] }).map(([key, value]) => `${key}=${value}\n`);
    return `[${name}]\n${lines.join('')}`;
  });
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, sections.join('\n'));
}

// The file of a database, made if it is not there. Its group is shown to other programs, unless EXPOSED is false.
async function database(desktop, exposed) {
  const file = path.join(desktop.world.env.XDG_DATA_HOME, exposed ? 'secrets.kdbx' : 'hidden.kdbx');
  if (!fs.existsSync(file)) {
    fs.writeFileSync(`${file}.xml`, databaseText(exposed));
    const { code, stderr } = await desktop.exec('keepassxc-cli', ['import', '-t', '100', '-p', `${file}.xml`, file], { input: `${PASSWORD}\n${PASSWORD}\n` });
    if (code !== 0) throw new Error(stderr);
  }
  return file;
}

// SETTINGS by section stand above those of SETTINGS. The same database each time, for each EXPOSED.
export async function startKeePassXC(desktop, { exposed = true, settings = {} } = {}) {
  const file = await database(desktop, exposed);
  writeSettings(path.join(desktop.world.env.XDG_CONFIG_HOME, 'keepassxc/keepassxc.ini'), settings);
  const child = await desktop.own('keepassxc', ['--pw-stdin', file], { input: `${PASSWORD}\n` });
  const opened = () => until(async () => await desktop.locked() === false, 'the database is open');
  if (exposed) await opened();
  else await desktop.shows(/^hidden - KeePassXC|^test - KeePassXC/);
  return {
    lock: async () => {
      await desktop.call(KEEPASSXC, '/keepassxc', `${KEEPASSXC}.lockAllDatabases`);
      await until(() => desktop.locked(), 'the database is locked');
    },
    // In the dialog that a prompt has opened.
    unlock: async () => {
      await desktop.type(/^Unlock Database/, PASSWORD, 'Return');
      await opened();
    },
    // Paths of all entries, the recycle bin's too, as they are on the disk.
    entries: async () => (await desktop.exec('keepassxc-cli', ['ls', '-q', '-R', '-f', file], { input: `${PASSWORD}\n` })).stdout.split('\n'),
    stop: async () => {
      child.kill('SIGKILL');
      await child.ended;
    },
  };
}

// ---- KWallet

const KWALLETD = 'org.kde.kwalletd5';
// A wallet without anything in it; its password is PASSWORD.
const WALLET = {
  'kdewallet.kwl': 'S1dBTExFVAoNAA0KAAEDAgAAAACggvgmAjPRR9txkvx56K1b/9nZ3KG2W+pQjDvRgiFmkB3M1NTL9qoZ',
  'kdewallet.salt': 'Aruiv6SSKT1Db4/PpwCSdfvb2ZH/a/oQShVlwmu2FVgCZwpxEi7fsm07pd0M7ScMeG0/tCUA40E=',
};
const [ROUNDS, HASH_BYTES] = [50000, 56];

// WALLET: whether there is one; it is closed.
export async function startKWallet(desktop, { wallet = true } = {}) {
  const folder = path.join(desktop.world.env.XDG_DATA_HOME, 'kwalletd');
  fs.mkdirSync(folder, { recursive: true });
  if (wallet) for (const [name, text] of Object.entries(WALLET)) fs.writeFileSync(path.join(folder, name), Buffer.from(text, 'base64'), { mode: 0o600 });
  fs.writeFileSync(path.join(desktop.world.env.XDG_CONFIG_HOME, 'kwalletrc'), '[Wallet]\nFirst Use=false\nEnabled=true\nClose When Idle=false\nPrompt on Open=false\n[org.freedesktop.secrets]\napiEnabled=true\n');
  const child = await desktop.own('kwalletd5', []);
  return {
    // As PAM does at a login.
    open: async () => {
      const hash = crypto.pbkdf2Sync(PASSWORD, Buffer.from(WALLET['kdewallet.salt'], 'base64'), ROUNDS, HASH_BYTES, 'sha512');
      const bytes = [...hash].map((byte) => `0x${byte.toString(16)}`).join(',');
      await desktop.call(KWALLETD, '/modules/kwalletd5', 'org.kde.KWallet.pamOpen', 'string:kdewallet', `array:byte:${bytes}`, 'int32:0');
      const reply = async () => desktop.call(KWALLETD, '/modules/kwalletd5', 'org.kde.KWallet.isOpen', 'string:kdewallet');
      await until(async () => /boolean true/.test(await reply()), 'the wallet is open');
    },
    close: async () => {
      await desktop.call(KWALLETD, '/modules/kwalletd5', 'org.kde.KWallet.close', 'string:kdewallet', 'boolean:true');
      await until(() => desktop.locked(), 'the wallet is closed');
    },
    stop: async () => {
      child.kill('SIGKILL');
      await child.ended;
    },
  };
}
