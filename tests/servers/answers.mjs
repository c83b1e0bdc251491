// SPDX-License-Identifier: MIT
//
// Reading requests and shaping answers: what more than one part of the servers needs.

const BODY_LIMIT = 65536;

export async function readBody(request) {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > BODY_LIMIT) throw Object.assign(new Error('request body too large'), { status: 413, expose: true });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

export const sleep = (seconds) => new Promise((resolve) => { setTimeout(resolve, seconds * 1000).unref(); });

export function jsonError(ctx, status, error, description) {
  ctx.status = status;
  ctx.body = { error, error_description: description };
  ctx.set('cache-control', 'no-store');
}

// RFC 6750, 3: without any credentials in the request the challenge names no error.
export function bearerError(ctx, status, error, description, extra = '') {
  jsonError(ctx, status, error ?? 'unauthorized', description);
  const why = error ? `, error="${error}", error_description="${description}"` : '';
  ctx.set('www-authenticate', `Bearer realm="api"${why}${extra}`);
}

const formDecode = (text) => {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
};

// The two halves of an Authorization: Basic header, decoded as RFC 6749 2.3.1 wants them made.
export function basicCredentials(header) {
  const match = /^basic +(\S+)$/i.exec(header ?? '');
  if (!match) return {};
  const text = Buffer.from(match[1], 'base64').toString();
  const colon = text.indexOf(':');
  if (colon < 0) return {};
  return { id: formDecode(text.slice(0, colon)), secret: formDecode(text.slice(colon + 1)) };
}
