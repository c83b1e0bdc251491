// SPDX-License-Identifier: MIT
//
// Faults on demand. A fault is an object
//     { kind, endpoint = 'token', count = 1, grant_type?, client_id?, commit?, ... }
// and spoils the next `count` requests that it fits. Endpoints: see recorder.mjs.
//
//   Instead of the work: `before` kinds answer and the server has done nothing;
//                        with commit: true they answer after the work was done.
//   After the work:      `after` kinds spoil a good answer. The code is then used up and the
//                        refresh token rotated, whatever the client gets to see.

import { basicCredentials, sleep } from './answers.mjs';

const HTML = '<!DOCTYPE html><html><head><title>Request blocked</title></head><body><h1>Request blocked</h1></body></html>\n';

// An error answer; `status`, `error`, `error_description`, `error_uri`, `retry_after`, `headers`,
// `body` and `type` of the fault override it. Any bytes may stand in the description.
const refusal = (status, error) => (ctx, fault) => {
  ctx.status = fault.status ?? status;
  if (fault.retry_after !== undefined) ctx.set('retry-after', String(fault.retry_after));
  ctx.set(fault.headers ?? {});
  if (fault.body !== undefined) {
    ctx.type = fault.type ?? 'text/plain';
    ctx.body = fault.body;
    return;
  }
  ctx.body = { error: fault.error ?? error, error_description: fault.error_description ?? 'injected fault' };
  if (fault.error_uri) ctx.body.error_uri = fault.error_uri;
};

const cut = (reset) => (ctx) => {
  ctx.respond = false;
  const tcp = ctx.req.socket._parent ?? ctx.req.socket; // under TLS the TCP socket is the parent
  if (reset) tcp.resetAndDestroy?.();
  ctx.req.socket.destroy();
};

const bytesOf = (fault) => (fault.body_base64 ? Buffer.from(fault.body_base64, 'base64') : Buffer.from(fault.body ?? ''));

// Says back what it should not: a client that prints error descriptions has to redact them.
function echoSecret(ctx, fault) {
  const { form } = ctx.state;
  const sent = {
    client_secret: form?.get('client_secret') ?? basicCredentials(ctx.get('authorization')).secret,
    refresh_token: form?.get('refresh_token'),
    code: form?.get('code'),
  };
  const text = Object.entries(sent).filter(([, value]) => value).map(([key, value]) => `${key} ${value}`).join(', ');
  refusal(401, 'invalid_client')(ctx, { ...fault, error_description: `not accepted: ${text}` });
}

export const before = {
  error: refusal(400, 'invalid_request'),
  429: refusal(429, 'slow_down'),
  500: refusal(500, 'server_error'),
  502: refusal(502, 'server_error'),
  503: refusal(503, 'temporarily_unavailable'),
  empty_503: (ctx, fault) => refusal(503)(ctx, { ...fault, body: '' }),
  forbidden_html: (ctx, fault) => refusal(403)(ctx, { body: HTML, type: 'text/html', ...fault }),
  echo_secret: echoSecret,
  redirect: (ctx, fault, site) => refusal(307, 'redirect')(ctx, { ...fault, headers: { location: fault.location ?? site.sinkUrl } }),
  reset_before: cut(true),
  close_before: cut(false),
  hang: (ctx) => { ctx.respond = false; }, // the connection stays open and nothing comes
  raw_http: (ctx, fault) => { // bytes in the place of an HTTP answer
    ctx.respond = false;
    ctx.req.socket.end(bytesOf(fault));
  },
};

const json = (ctx, text) => {
  ctx.type = 'application/json';
  ctx.body = text;
};
const edit = (change) => (ctx, fault) => {
  const members = { ...ctx.body };
  change(members, fault);
  ctx.body = members;
};
const appendMember = (ctx, member) => json(ctx, `${JSON.stringify(ctx.body).slice(0, -1)},${member}}`);
const half = (text) => text.slice(0, Math.floor(text.length / 2));
const cutOff = (text, { omit }) => (omit === undefined ? half(text) : text.slice(0, -omit));

// Writes the answer by hand, past the framework.
const byHand = (ctx, headers) => {
  ctx.respond = false;
  ctx.res.writeHead(ctx.status, { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers });
  return ctx.res;
};

async function slowly(ctx, fault) {
  const text = JSON.stringify(ctx.body);
  const response = byHand(ctx, { 'content-length': Buffer.byteLength(text) });
  const started = Date.now();
  const step = (fault.seconds ?? 5) * 1000 / text.length;
  for (let i = 0; i < text.length && !response.destroyed; i += 1) {
    await sleep(Math.max(0, started + (i + 1) * step - Date.now()) / 1000);
    response.write(text[i]);
  }
  response.end();
}

export const after = {
  reset_after: cut(true),
  close_after: cut(false),
  delay: (ctx, fault) => sleep(fault.seconds ?? 5), // all of the answer, late
  slow: slowly, // headers at once, the body byte by byte over `seconds`
  truncated_json: (ctx, fault) => json(ctx, cutOff(JSON.stringify(ctx.body), fault)), // half of it, or all but `omit` characters
  short_body: (ctx) => { // Content-Length promises all, the connection ends half-way
    const text = JSON.stringify(ctx.body);
    const response = byHand(ctx, { 'content-length': Buffer.byteLength(text) });
    response.write(half(text), () => setTimeout(() => response.destroy(), 50));
  },
  empty_body: (ctx) => {
    json(ctx, '');
    ctx.status = 200;
  },
  html200: (ctx) => {
    ctx.type = 'text/html';
    ctx.body = '<!DOCTYPE html><title>Maintenance</title><h1>Back soon</h1>\n';
  },
  wrong_type: (ctx) => {
    const text = JSON.stringify(ctx.body);
    ctx.type = 'text/plain';
    ctx.body = text;
  },
  chunked: (ctx) => {
    const text = JSON.stringify(ctx.body);
    const response = byHand(ctx, {});
    for (const character of text) response.write(character);
    response.end();
  },
  bom: (ctx) => json(ctx, `\uFEFF${JSON.stringify(ctx.body)}`),
  huge: async (ctx, fault) => { // `first` bytes before the other members and `bytes` behind them, `seconds` late
    const pad = (name, bytes) => `"${name}":"${'A'.repeat(bytes)}"`;
    await sleep(fault.seconds ?? 0);
    appendMember(ctx, pad('pad', fault.bytes ?? 10 * 1024 * 1024));
    if (fault.first) json(ctx, `{${pad('first', fault.first)},${ctx.body.slice(1)}`);
  },
  deep: (ctx, fault) => {
    const depth = fault.depth ?? 100000;
    appendMember(ctx, `"x":${'['.repeat(depth)}${']'.repeat(depth)}`);
  },
  dup_keys: (ctx) => json(ctx, `{"access_token":"first-of-two",${JSON.stringify(ctx.body).slice(1)}`),
  expires_string: edit((o) => { o.expires_in = String(o.expires_in); }),
  no_expires: edit((o) => { delete o.expires_in; }),
  bearer_lower: edit((o) => { o.token_type = 'bearer'; }),
  mac: edit((o) => { o.token_type = 'mac'; }),
  no_token_type: edit((o) => { delete o.token_type; }),
  ctl_token: edit((o) => { o.access_token = `${o.access_token?.slice(0, 8)}\r\nX-Injected: 1\u0000\u001b[2J`; }),
  no_rotation: edit((o) => { delete o.refresh_token; }), // the old refresh token stays good
  same_rt: () => {}, // not rotated either, and the answer repeats the old one
  lose_rt: edit((o) => { delete o.refresh_token; }), // rotated, but the new one is withheld
  set: edit((o, fault) => {
    Object.assign(o, fault.set);
    for (const key of fault.unset ?? []) delete o[key];
  }),
  long: edit((o, fault) => { for (const [name, size] of Object.entries(fault.members)) o[name] = 'A'.repeat(size); }), // that many letters in these
  raw: (ctx, fault) => { // any body: text in `body`, or bytes in `body_base64`
    ctx.status = fault.status ?? 200;
    json(ctx, bytesOf(fault));
    if (fault.type) ctx.type = fault.type;
  },
};

export const known = (kind) => Object.hasOwn(before, kind) || Object.hasOwn(after, kind);
export const replacesWork = (fault) => fault && Object.hasOwn(before, fault.kind) && !fault.commit;
export const keepsRefreshToken = (fault) => fault?.kind === 'no_rotation' || fault?.kind === 'same_rt';

// Takes the first fault that fits this request off the tenant's list.
export function takeFault(tenant, endpoint, grantType, clientId) {
  const index = tenant.faults.findIndex((fault) => (fault.endpoint ?? 'token') === endpoint
    && (!fault.grant_type || fault.grant_type === grantType)
    && (!fault.client_id || fault.client_id === clientId));
  if (index < 0) return undefined;
  const fault = tenant.faults[index];
  fault.count = (fault.count ?? 1) - 1;
  if (fault.count <= 0) tenant.faults.splice(index, 1);
  return fault;
}
