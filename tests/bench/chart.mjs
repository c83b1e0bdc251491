// SPDX-License-Identifier: MIT
//
// The figures as an SVG for a page of text: one panel of bars for each group. It brings its own
// background, and text and background change together, so that it reads on light and dark pages.

const WIDTH = 840;
const LABELS = 316; // where bars begin
const FIGURES = 124; // what is kept free behind the longest bar
const ROW = 30;
const BAR = 18;
const PANEL_HEAD = 58;
const PADDING = 24;

const STYLE = `
  text { font-family: -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; font-size: 14px; fill: #1f2328 }
  .card { fill: #ffffff; stroke: #d1d9e0 }
  .title { font-size: 16px; font-weight: 600 }
  .note { font-size: 12.5px; fill: #59636e }
  .name { text-anchor: end }
  .own { font-weight: 600 }
  .bar { fill: #afb8c1 }
  .bar.own { fill: #0969da }
  .axis { stroke: #d1d9e0 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc }
    .card { fill: #0d1117; stroke: #3d444d }
    .note { fill: #9198a1 }
    .bar { fill: #656c76 }
    .bar.own { fill: #4493f8 }
    .axis { stroke: #3d444d }
  }`;

const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const times = (value) => `${value.toFixed(value < 2 ? 2 : value < 10 ? 1 : 0)}×`;
const milliseconds = (value) => `${value < 10 ? value.toFixed(2) : value.toFixed(1)} ms`;

function bar(row, y, scale) {
  const own = row.own ? ' own' : '';
  const width = Math.max(1, row.ms * scale).toFixed(1);
  const middle = y + ROW / 2 + 5;
  const behind = LABELS + Number(width) + 8;
  return `<text class="name${own}" x="${LABELS - 10}" y="${middle}">${escape(row.label)}</text>
<rect class="bar${own}" x="${LABELS}" y="${y + (ROW - BAR) / 2}" width="${width}" height="${BAR}" rx="2"/>
<text x="${behind}" y="${middle}"><tspan${row.own ? ' class="own"' : ''}>${milliseconds(row.ms)}</tspan>\
<tspan class="note" dx="8">${times(row.ratio)}</tspan></text>`;
}

function panel({ title, note, rows }, top) {
  const scale = (WIDTH - PADDING - LABELS - FIGURES) / Math.max(...rows.map(({ ms }) => ms));
  const first = top + PANEL_HEAD;
  const bars = rows.map((row, i) => bar(row, first + i * ROW, scale));
  return `<text class="title" x="${PADDING}" y="${top + 18}">${escape(title)}</text>
<text class="note" x="${PADDING}" y="${top + 40}">${escape(note)}</text>
<line class="axis" x1="${LABELS}" x2="${LABELS}" y1="${first}" y2="${first + rows.length * ROW}"/>
${bars.join('\n')}`;
}

// panels: [{ title, note, rows: [{ label, ms, ratio, own? }] }]
export function chart(panels) {
  let top = PADDING;
  const drawn = panels.map((each) => {
    const text = panel(each, top);
    top += PANEL_HEAD + each.rows.length * ROW + PADDING;
    return text;
  });
  const words = panels.map(({ title, rows }) => `${title}: ${rows.map(({ label, ms }) => `${label} ${milliseconds(ms)}`).join(', ')}.`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top}" width="${WIDTH}" height="${top}" role="img" aria-labelledby="t d">
<title id="t">How long an answer takes</title>
<desc id="d">${escape(words.join(' '))}</desc>
<style>${STYLE}
</style>
<rect class="card" x="0.5" y="0.5" width="${WIDTH - 1}" height="${top - 1}" rx="6"/>
${drawn.join('\n')}
</svg>
`;
}
