#!/usr/bin/env node
// SPDX-License-Identifier: MIT
//
// Prints text-ranges.h: which characters may be shown to people, by Unicode's own tables as node has them. Letters, marks,
// numbers, punctuation, symbols and blanks are; controls, format characters (bidi overrides and isolates, zero-width ones,
// tags), line and paragraph separators, fillers and selectors that show nothing, surrogates, private use, and what is not
// assigned are not.
//
//     node protocol/text-ranges.mjs >protocol/text-ranges.h

const UNSEEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Bidi_Control}]/u;
const PER_LINE = 12;

const edges = [];
for (let code = 0, shown = false; code <= 0x110000; code += 1) {
  const surrogate = code >= 0xd800 && code <= 0xdfff;
  const now = code < 0x110000 && !surrogate && !UNSEEN.test(String.fromCodePoint(code));
  if (now !== shown) edges.push(code);
  shown = now;
}
console.log(`/* SPDX-License-Identifier: MIT */
/* Made by text-ranges.mjs from Unicode ${process.versions.unicode}: characters from the first edge on are shown, from the second on they are not,
 * and so on. */
/* clang-format off */
static const uint32_t edges[] = {`);
for (let i = 0; i < edges.length; i += PER_LINE)
  console.log(`\t${edges.slice(i, i + PER_LINE).map((edge) => `0x${edge.toString(16)}`).join(', ')},`);
console.log('};');
