#!/usr/bin/env node
// Where the command begins.

import { endIfHeld } from './interrupt.js';
import { endWhenOutputCloses } from './output.js';
import { run } from './program.js';

endWhenOutputCloses();
// Set rather than exited with: what is still on its way to standard output gets there.
process.exitCode = await run(process.argv.slice(2));
endIfHeld(process.exitCode);
