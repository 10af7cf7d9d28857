// chart.mjs - figures as charts: bars, one a request, its ratio to the bare hello, and a mark at the goal; and lines.

const width = 760;
const left = 210;
const right = 90;
const rowHeight = 38;
const escape = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;');

export function drawChart(cases) {
  const largest = Math.max(...cases.map(({ ratio, goal }) => Math.max(ratio, goal ?? 0)));
  const scale = (value) => ((width - left - right) * value) / largest;
  const height = cases.length * rowHeight + 74;
  const rows = cases.map(({ name, us, ratio, goal }, index) => {
    const y = 44 + index * rowHeight;
    const isMissed = goal !== null && ratio > goal;
    const mark = goal === null ? '' : `<line x1="${(left + scale(goal)).toFixed(1)}" x2="${(left + scale(goal)).toFixed(1)}" y1="${y - 3}" y2="${y + 27}" class="goal"/>`;
    return `<text x="${left - 12}" y="${y + 17}" text-anchor="end">${escape(name === 'hello' ? 'bare epoll hello' : name)}</text>
  <rect x="${left}" y="${y}" width="${scale(ratio).toFixed(1)}" height="24" rx="2" class="${name === 'hello' ? 'base' : isMissed ? 'missed' : 'bar'}"/>${mark}
  <text x="${(left + scale(Math.max(ratio, goal ?? 0)) + 8).toFixed(1)}" y="${y + 17}" class="value">${ratio.toFixed(2)} ×</text><title>${escape(name)}: ${us.toFixed(2)} µs</title>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="Server CPU per request, as a ratio to a bare hello">
  <style>
    text { font: 14px system-ui, sans-serif; fill: #1f2933; } .value { font-variant-numeric: tabular-nums; font-weight: 600; } .note { font-size: 12px; fill: #52606d; }
    .base { fill: #9aa5b1; } .bar { fill: #0b7285; } .missed { fill: #c2410c; } .goal { stroke: #1f2933; stroke-width: 2; }
    @media (prefers-color-scheme: dark) { text { fill: #e4e7eb; } .note { fill: #9aa5b1; } .goal { stroke: #e4e7eb; } .bar { fill: #22a6bd; } .missed { fill: #f97316; } }
  </style>
  <text x="${left}" y="24" class="note">server CPU per request, relative to an HTTP server that does nothing</text>
  ${rows.join('\n  ')}
  <text x="${left}" y="${height - 14}" class="note">the upright line is the goal</text>
</svg>
`;
}

const colours = ['#0b7285', '#c2410c', '#7048e8', '#2b8a3e'];
const panelHeight = 130, panelLeft = 70, panelRight = 20, letterWidth = 6.5;

// 1, 2 or 5 times a power of ten, at least `value`.
function round(value) {
  const power = 10 ** Math.floor(Math.log10(value || 1));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value);
}

const short = (value) => (value >= 1e6 ? `${value / 1e6} M` : value >= 1e4 ? `${value / 1e3} k` : String(Number(value.toPrecision(3))));

// Panels below one another: { title, series: [{ name, points: [[x, y]…] }] }, all over the same x, whose unit is `unit`. `marks`: { at, what }.
// `isLog`: both axes are logarithmic.
export function drawLines(panels, { marks = [], unit = '', isLog = false } = {}) {
  const all = panels.flatMap(({ series }) => series.flatMap(({ points }) => points));
  const xs = all.map(([x]) => x), from = isLog ? Math.min(...xs) : 0, to = Math.max(...xs, 1);
  const names = [...new Set(panels.flatMap(({ series }) => series.map(({ name }) => name)))];
  const along = (value, low, high, length) => (isLog ? (length * Math.log(value / low)) / Math.log(high / low || 2) : (length * (value - low)) / (high - low || 1));
  const xOf = (x) => panelLeft + along(x, from, to, width - panelLeft - panelRight);
  const drawPanel = ({ title, series }, index) => {
    const top = 44 + index * (panelHeight + 40), bottom = top + panelHeight;
    const ys = series.flatMap(({ points }) => points.map(([, y]) => y));
    const low = isLog ? Math.min(...ys) : 0, high = isLog ? Math.max(...ys) : round(Math.max(...ys, 1));
    const yOf = (y) => bottom - along(y, low, high, panelHeight);
    const ticks = isLog ? [low, high] : [0, high / 2, high];
    return `<text x="${panelLeft}" y="${top - 10}" class="note">${escape(title)}</text>
  ${ticks.map((y) => `<line x1="${panelLeft}" x2="${width - panelRight}" y1="${yOf(y).toFixed(1)}" y2="${yOf(y).toFixed(1)}" class="grid"/><text x="${panelLeft - 8}" y="${(yOf(y) + 4).toFixed(1)}" text-anchor="end" class="note">${short(y)}</text>`).join('\n  ')}
  ${marks.map(({ at, what }) => `<line x1="${xOf(at).toFixed(1)}" x2="${xOf(at).toFixed(1)}" y1="${bottom}" y2="${bottom + 5}" class="mark"><title>${escape(what)}</title></line>`).join('')}
  ${series.map(({ name, points }) => `<polyline class="line" stroke="${colours[names.indexOf(name) % colours.length]}" points="${points.map(([x, y]) => `${xOf(x).toFixed(1)},${yOf(y).toFixed(1)}`).join(' ')}"/>`).join('\n  ')}
  ${(isLog ? [...new Set(xs)] : [0, to / 2, to]).map((x) => `<text x="${xOf(x).toFixed(1)}" y="${bottom + 18}" text-anchor="${x === to ? 'end' : 'middle'}" class="note">${short(Math.round(x))} ${unit}</text>`).join('\n  ')}`;
  };
  const height = 44 + panels.length * (panelHeight + 40) + 10;
  let legendAt = panelLeft;
  const legend = names.map((name, i) => {
    const at = legendAt;
    legendAt += 50 + letterWidth * name.length;
    return `<line x1="${at}" x2="${at + 20}" y1="12" y2="12" class="line" stroke="${colours[i % colours.length]}"/><text x="${at + 26}" y="16" class="note">${escape(name)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escape(panels.map(({ title }) => title).join('; '))}">
  <style>
    text { font: 14px system-ui, sans-serif; fill: #1f2933; } .note { font-size: 12px; fill: #52606d; font-variant-numeric: tabular-nums; }
    .grid { stroke: #9aa5b1; stroke-opacity: 0.35; } .mark { stroke: #52606d; } .line { fill: none; stroke-width: 1.5; }
    @media (prefers-color-scheme: dark) { text { fill: #e4e7eb; } .note { fill: #9aa5b1; } .mark { stroke: #9aa5b1; } }
  </style>
  ${legend.join('\n  ')}
  ${panels.map(drawPanel).join('\n  ')}
</svg>
`;
}
