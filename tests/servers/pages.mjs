// SPDX-License-Identifier: MIT
//
// The pages a person sees: sign in, consent, the device code pages and errors. Plain forms without
// script, so that a browser, curl or a few lines of JavaScript can go through them.
//
// Assumed: both tenants ask for consent every time, and each consent makes a grant of its own, so
// that withdrawing one authorization leaves the person's others alone.

import { readBody } from './answers.mjs';

const escapeHtml = (text) => String(text ?? '').replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
const words = (text) => (text ?? '').split(' ').filter(Boolean);

export const page = (title, body) => `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(title)}</title></head>
<body><h1>${escapeHtml(title)}</h1>
${body}
</body></html>
`;

const form = (action, inner) => `<form method="post" action="${escapeHtml(action)}">${inner}</form>`;

function signInPage(action, problem) {
  const message = problem ? `<p id="error">${escapeHtml(problem)}</p>\n` : '';
  return page('Sign in', message + form(action, `<input type="hidden" name="step" value="login">
<label>User <input name="username" autofocus></label>
<label>Password <input type="password" name="password"></label>
<button id="login">Sign in</button>`));
}

function consentPage(action, app, user, scopes) {
  const site = app?.website ? ` <a href="${escapeHtml(app.website)}">${escapeHtml(app.website)}</a>` : '';
  return page(`Authorize ${app?.name}`, `<p>Application: <b>${escapeHtml(app?.name)}</b>${site}</p>
<p>User: <b id="user">${escapeHtml(user)}</b></p>
<ul id="scopes">${scopes.map((scope) => `<li>${escapeHtml(scope)}</li>`).join('')}</ul>
${form(action, `<input type="hidden" name="step" value="consent">
<button id="allow" name="allow" value="yes">Allow</button>
<button id="deny" name="allow" value="no">Deny</button>`)}`);
}

export function errorPage(ctx, out) {
  ctx.type = 'html';
  ctx.body = page('Error', Object.entries(out)
    .map(([key, value]) => `<p><b>${escapeHtml(key)}</b>: ${escapeHtml(value)}</p>`).join('\n'));
}

// oidc-provider hands over its own forms, named by id; the buttons belong to them.
export const devicePages = {
  userCodeInputSource: (ctx, inner, out, error) => {
    ctx.body = page('Connect a device', `${error ? '<p id="error">The code is not valid.</p>' : ''}${inner}
<button id="continue" form="op.deviceInputForm">Continue</button>`);
  },
  userCodeConfirmSource: (ctx, inner, client, device, code) => {
    ctx.body = page('Confirm the device', `<p>${escapeHtml(client.clientName)}: <b id="code">${escapeHtml(code)}</b></p>${inner}
<button id="confirm" form="op.deviceConfirmForm">Confirm</button>
<button id="abort" form="op.deviceConfirmForm" name="abort" value="yes">Abort</button>`);
  },
  successSource: (ctx) => {
    ctx.body = page('Device connected', '<p>You can close this page.</p>');
  },
};

// Why this person may not give this application what it asks for; undefined if nothing is in the way.
function obstacle(tenant, user, scopes) {
  if (tenant.id === 'a') {
    return user.permissions.includes('authorize_applications') ? undefined
      : 'The user lacks the permission "Authorize applications"';
  }
  const missing = scopes.filter((scope) => !user.scopes.includes(scope));
  return missing.length ? `The role of the user lacks: ${missing.join(' ')}` : undefined;
}

function show(ctx, tenant, interaction) {
  const { prompt, params, session } = interaction;
  ctx.type = 'html';
  ctx.body = prompt.name === 'login' ? signInPage(ctx.path)
    : consentPage(ctx.path, tenant.apps.get(params.client_id), session?.accountId, words(params.scope));
}

async function submit(ctx, site, tenant, provider, interaction) {
  const { prompt, params, session } = interaction;
  const fields = new URLSearchParams(await readBody(ctx.req));
  ctx.respond = false; // interactionFinished() answers on ctx.res itself
  const finish = (result, merge) => provider.interactionFinished(ctx.req, ctx.res, result, { mergeWithLastSubmission: merge });
  const deny = (why) => finish({ error: 'access_denied', error_description: why }, false);
  const html = (status, text) => {
    ctx.res.writeHead(status, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' });
    ctx.res.end(text);
  };
  if (fields.get('step') !== prompt.name) return html(400, page('Out of step', `<p>expected ${escapeHtml(prompt.name)}</p>`));
  if (prompt.name === 'login') {
    const name = fields.get('username');
    const known = Object.hasOwn(site.users, name) && site.users[name].password === fields.get('password');
    if (!known) return html(401, signInPage(ctx.path, 'Unknown user or wrong password'));
    return finish({ login: { accountId: name } }, false);
  }
  if (fields.get('allow') !== 'yes') return deny('The user denied the request');
  const scopes = words(params.scope);
  const problem = obstacle(tenant, site.users[session.accountId], scopes);
  if (problem) return deny(problem);
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(scopes.join(' '));
  return finish({ consent: { grantId: await grant.save() } }, true);
}

export async function interactionPage(ctx, site, tenant, provider) {
  const interaction = await provider.interactionDetails(ctx.req, ctx.res);
  ctx.set('cache-control', 'no-store');
  return ctx.method === 'GET' ? show(ctx, tenant, interaction) : submit(ctx, site, tenant, provider, interaction);
}
