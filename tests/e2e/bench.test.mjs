// bench.test.mjs - what the measurements stand on.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { treeCpuNs } from '../../bench/process.mjs';

const work = 'const end = process.cpuUsage().user + 300000; while (process.cpuUsage().user < end) ;';

test('the CPU time of a process tree holds that of children that have ended', { timeout: 60000 }, async (t) => {
  const child = spawn('bash', ['-c', `for i in 1 2; do "${process.execPath}" -e '${work}'; done; echo done; sleep 60`], { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  t.after(() => process.kill(-child.pid));
  let isDone = false;
  child.stdout.once('data', () => { isDone = true; });
  let last = 0;
  while (!isDone) {
    const now = treeCpuNs(child.pid);
    assert.ok(now >= last - 2e7, `${now} ns after ${last}`); // two ticks of the clock that counts those that have ended
    last = now;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.ok(treeCpuNs(child.pid) >= 6e8);
});
