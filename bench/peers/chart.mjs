// chart.mjs - the peers' CPU per request as bars, one group a request, on a logarithmic scale: they are decades apart.

const width = 760;
const left = 190;
const right = 70;
const rowHeight = 22;
const escape = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;');

// `peers`: { name, …: ratio to the bare hello under each key of `labels` that it was asked }.
export function drawPeers(peers, labels) {
  const largest = Math.max(...peers.flatMap((peer) => Object.keys(labels).map((key) => peer[key] ?? 1)));
  const scale = (value) => ((width - left - right) * Math.log10(Math.max(value, 1.01))) / Math.log10(largest);
  const parts = [];
  let y = 40;
  for (const [key, label] of Object.entries(labels)) {
    parts.push(`<text x="${left}" y="${y + 14}" class="title">${escape(label)}</text>`);
    y += 24;
    for (const peer of peers.filter((one) => key in one)) {
      parts.push(`<text x="${left - 10}" y="${y + 14}" text-anchor="end">${escape(peer.name)}</text><rect x="${left}" y="${y + 2}" width="${scale(peer[key]).toFixed(1)}" height="16" rx="2" class="${peer.name.startsWith('Caisson') ? 'ours' : 'bar'}"/><text x="${(left + scale(peer[key]) + 6).toFixed(1)}" y="${y + 14}" class="value">${peer[key].toFixed(1)} ×</text>`);
      y += rowHeight;
    }
    y += 12;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y + 10}" role="img" aria-label="Server CPU per request of several servers, as a ratio to a bare hello">
  <style>
    text { font: 13px system-ui, sans-serif; fill: #1f2933; } .title { font-weight: 600; } .value { font-variant-numeric: tabular-nums; } .note { font-size: 12px; fill: #52606d; }
    .ours { fill: #0b7285; } .bar { fill: #9aa5b1; }
    @media (prefers-color-scheme: dark) { text { fill: #e4e7eb; } .note { fill: #9aa5b1; } .ours { fill: #22a6bd; } .bar { fill: #52606d; } }
  </style>
  <text x="${left}" y="22" class="note">server CPU per request, relative to an HTTP server that does nothing; logarithmic</text>
  ${parts.join('\n  ')}
</svg>
`;
}
