// process.mjs - what a process and all that it started cost: CPU time, memory, descriptors, as /proc tells.
import fs from 'node:fs';

const tickNs = 1e7; // USER_HZ is 100 on every Linux

function read(path) {
  try { return fs.readFileSync(path, 'utf8'); } catch { return ''; }
}

function list(path) {
  try { return fs.readdirSync(path); } catch { return []; }
}

// A process and all that it started and that still are.
export function tree(pid) {
  const children = list(`/proc/${pid}/task`).flatMap((task) => read(`/proc/${pid}/task/${task}/children`).split(' ').filter(Boolean).map(Number));
  return [pid, ...children.flatMap(tree)];
}

// Of its threads, in nanoseconds, unlike the ticks of /proc/PID/stat.
const ownNs = (pid) => list(`/proc/${pid}/task`).map((task) => Number(read(`/proc/${pid}/task/${task}/schedstat`).split(' ')[0])).reduce((a, b) => a + b, 0);

// Of children that have ended and were waited for, with theirs (cutime, cstime): a PostgreSQL backend that ends takes its own time away.
function endedNs(pid) {
  const fields = read(`/proc/${pid}/stat`).replace(/^.*\) /, '').split(' ');
  return fields.length < 15 ? 0 : (Number(fields[13]) + Number(fields[14])) * tickNs;
}

// What all have used since the first of them began. Where one ends while they are added up, it is done again: its time is in one of the two places.
export function treeCpuNs(pid) {
  for (;;) {
    const before = tree(pid);
    const sum = before.map((one) => ownNs(one) + endedNs(one)).reduce((a, b) => a + b, 0);
    const after = tree(pid);
    if (before.length === after.length && before.every((one, i) => one === after[i])) return sum;
  }
}

export const treeRssMb = (pid) => tree(pid).map((one) => Number(/^VmRSS:\s+(\d+)/m.exec(read(`/proc/${one}/status`))?.[1] ?? 0)).reduce((a, b) => a + b, 0) / 1024;
export const descriptorCount = (pid) => list(`/proc/${pid}/fd`).length;
export const threadCount = (pid) => list(`/proc/${pid}/task`).length;
