// SPDX-License-Identifier: MIT
//
// What came of many runs, as lines of text. An outcome is { class, works, twice, refused }.

const COLUMNS = ['runs', 'get works after', 'tokens lost', 'tokens sent twice', 'refused by server'];
const FIRST = 34;
const OTHERS = 19;

const row = (first, cells) => first.padEnd(FIRST) + cells.map((cell) => String(cell).padStart(OTHERS)).join('');

export function sumUp(outcomes) {
  const sum = (of) => outcomes.reduce((total, outcome) => total + of(outcome), 0);
  return {
    runs: outcomes.length, works: sum(({ works }) => Number(works)), lost: sum(({ works }) => Number(!works)),
    twice: sum(({ twice }) => twice), refused: sum(({ refused }) => refused),
  };
}

// `sections`: outcomes under a heading each; `classes`: the names of the rows in each.
export function* table(sections, classes) {
  yield row('killed when', COLUMNS);
  for (const [heading, outcomes] of Object.entries(sections)) {
    yield row(`-- ${heading}`, []);
    for (const [name, text] of Object.entries(classes)) {
      const those = outcomes.filter((outcome) => outcome.class === name);
      if (those.length > 0) yield row(text, Object.values(sumUp(those)));
    }
    yield row('   together', Object.values(sumUp(outcomes)));
  }
}
