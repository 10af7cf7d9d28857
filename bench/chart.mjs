// chart.mjs - the figures as a bar chart: one bar a request, its ratio to the bare hello, and a mark at the goal.

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
