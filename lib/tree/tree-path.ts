/** The branches that a writer came through from the root to a leaf, with the slot taken in each. */
export class TreePath {
  /** Bases stay good while their pages are dirty, which those of a writer's path are. */
  readonly bases: number[] = [];
  readonly indexes: number[] = [];
  /** How many branches lie above the leaf. */
  depth = 0;

  clear(): void {
    this.depth = 0;
  }

  push(base: number, index: number): void {
    this.bases[this.depth] = base;
    this.indexes[this.depth] = index;
    this.depth++;
  }
}
