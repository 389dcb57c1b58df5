// What the command's exit status says to scripts.

/** Done. Also where the reader of the output left early, as `head` does. */
export const EXIT_OK = 0;
/** It failed, a key was not there, or a check found problems. */
export const EXIT_FAILED = 1;
/** A command, option or argument is unknown, missing or out of bounds. */
export const EXIT_USAGE = 2;
/** Another process has the store open: it is worth trying again. */
export const EXIT_LOCKED = 3;
/** An import is done, but not all rows were taken, and nobody had said how many may be left out. */
export const EXIT_REJECTED = 4;
/** Stopped by Ctrl-C: 128 and the number of that signal, as shells have it. Others that end a command do likewise. */
export const EXIT_INTERRUPTED = 130;

/** The part of the help that tells scripts what to expect. */
export const EXIT_STATUS_HELP = `
Exit status:
  0    done
  1    failed; also: get and delete did not find the key, check found problems
  2    wrong usage: something is unknown, missing or out of bounds
  3    the store is locked by another process: try again later
  4    an import is done, but some rows were rejected, and --max-rejects did not say how many may be
  130  stopped by Ctrl-C; by SIGTERM 143, by SIGHUP 129: in all three temporary files go`;
