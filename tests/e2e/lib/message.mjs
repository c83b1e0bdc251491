// SPDX-License-Identifier: MIT
//
// The key=value messages of git's credential protocol: arrays are written as key[]=… lines, one
// each, and come back as arrays.

export function writeMessage(values) {
  const lines = Object.entries(values).flatMap(([key, value]) => {
    if (Array.isArray(value)) return value.map((one) => `${key.replace(/(\[\])?$/, '[]')}=${one}`);
    return value === undefined ? [] : [`${key}=${value}`];
  });
  return `${lines.join('\n')}${lines.length ? '\n' : ''}\n`;
}

// { key: 'value', 'key[]': ['first', 'second'] }; throws on a line that is none.
export function readMessage(text) {
  const values = {};
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const equals = line.indexOf('=');
    if (equals < 1) throw new Error(`not a key=value line: ${JSON.stringify(line)}`);
    const [key, value] = [line.slice(0, equals), line.slice(equals + 1)];
    if (key.endsWith('[]')) (values[key] ??= []).push(value);
    else values[key] = value;
  }
  return values;
}

// The body of an account file: as a message, without the blank line at the end.
export const writeAccount = (keys) => Object.entries(keys)
  .flatMap(([key, value]) => [value].flat().map((one) => `${key} = ${one}\n`)).join('');
