// The engines by name: ours first, then its peers.

import type { Engine } from './engine.js';

export const OURS = 'btree-store';
export const PEERS = ['lmdb', 'classic-level', 'better-sqlite3'] as const;
export const ENGINE_NAMES: readonly string[] = [OURS, ...PEERS];

/** Only the one that is asked for is loaded, so that no process pays for another's memory. */
export async function makeEngine(name: string): Promise<Engine> {
  switch (name) {
    case OURS:
      return new (await import('./btree-store-engine.js')).BtreeStoreEngine();
    case 'lmdb':
      return new (await import('./lmdb-engine.js')).LmdbEngine();
    case 'classic-level':
      return new (await import('./classic-level-engine.js')).ClassicLevelEngine();
    case 'better-sqlite3':
      return new (await import('./better-sqlite3-engine.js')).BetterSqliteEngine();
    default:
      throw new Error(`there is no engine ${name}; there are ${ENGINE_NAMES.join(', ')}`);
  }
}
