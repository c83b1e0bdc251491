// SPDX-License-Identifier: MIT
//
// One request on a connection of its own, trusting the given authority and nothing else. Redirects
// are not followed. Answers { status, headers, body, json }; json is undefined if the body is none.

import http from 'node:http';
import https from 'node:https';

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function request(url, { method, headers = {}, body, form, ca, localAddress, timeout = 20000 } = {}) {
  const payload = form ? new URLSearchParams(form).toString() : body;
  const type = form ? { 'content-type': 'application/x-www-form-urlencoded' } : {};
  const length = payload === undefined ? {} : { 'content-length': Buffer.byteLength(payload) };
  const options = {
    method: method ?? (payload === undefined ? 'GET' : 'POST'), agent: false, ca, localAddress, timeout,
    headers: { ...type, ...length, ...headers },
  };
  return new Promise((resolve, reject) => {
    const protocol = String(url).startsWith('https:') ? https : http;
    const outgoing = protocol.request(url, options, async (incoming) => {
      try {
        const chunks = [];
        for await (const chunk of incoming) chunks.push(chunk);
        const text = Buffer.concat(chunks).toString();
        resolve({ status: incoming.statusCode, headers: incoming.headers, body: text, json: parse(text) });
      } catch (error) {
        reject(error);
      }
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${timeout} ms`)));
    outgoing.on('error', reject);
    outgoing.end(payload);
  });
}

export const basic = ({ client_id: id, client_secret: secret }) => {
  const encode = (text) => new URLSearchParams({ x: text }).toString().slice(2);
  return { authorization: `Basic ${Buffer.from(`${encode(id)}:${encode(secret)}`).toString('base64')}` };
};
