// One engine, one workload, one time, in a process of its own. What is to be done comes as JSON on the command line,
// what was measured goes out as a line of JSON.

import { Entries } from './data.js';
import { makeEngine } from './engines/engines.js';
import { importRowsInto } from './prepare.js';
import type { Setting, Start } from './workloads/workload.js';
import { workloadNamed } from './workloads/workloads.js';

/** What a worker is asked for. */
export interface Task {
  readonly engine: string;
  /** A workload's name; or the state of a store that is to be made. */
  readonly workload?: string;
  readonly prepare?: Start;
  readonly setting: Setting;
}

const PUTS_BEFORE_CRASH = 300;

async function prepare({ engine: name, setting }: Task, start: Start): Promise<void> {
  const engine = await makeEngine(name);
  await engine.open(setting.path);
  const entries = new Entries(setting.valueBytes);
  if (start === 'json') await importRowsInto(engine, setting.sources.ndjson);
  else if (start === 'crashed') {
    for (let i = 0; i < PUTS_BEFORE_CRASH; i++) await engine.put(entries.keyCopy(i), entries.valueCopy(i, 3));
    process.kill(process.pid, 'SIGKILL');
  } else await engine.load(entries, setting.entries);
  await engine.close();
}

async function work({ engine: name, setting }: Task, workloadName: string): Promise<void> {
  const workload = workloadNamed(workloadName);
  const engine = await makeEngine(name);
  if (workload.opensItself !== true) await engine.open(setting.path, workload.settingsOf?.(setting));
  const measured = await workload.run(engine, setting);
  await engine.close();
  console.log(JSON.stringify(measured));
}

const task = JSON.parse(process.argv[2]) as Task;
if (task.workload !== undefined) await work(task, task.workload);
else if (task.prepare !== undefined) await prepare(task, task.prepare);
// A peer's threads must not keep a process that has done its work.
process.exit(0);
