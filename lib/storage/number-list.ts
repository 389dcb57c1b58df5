/** A growing list of non-negative integers without an object a number. */
export class NumberList {
  private values = new Float64Array(64);
  private size = 0;

  get length(): number {
    return this.size;
  }

  at(index: number): number {
    return this.values[index];
  }

  push(value: number): void {
    if (this.size === this.values.length) {
      const grown = new Float64Array(this.size * 2);
      grown.set(this.values);
      this.values = grown;
    }
    this.values[this.size++] = value;
  }

  set(index: number, value: number): void {
    this.values[index] = value;
  }

  /** Drops all from `length` on, and memory that was kept for many more. */
  truncate(length: number): void {
    this.size = length;
    if (this.values.length > 4096 && length < this.values.length >>> 2)
      this.values = this.values.slice(0, this.values.length >>> 1);
  }

  clear(): void {
    this.size = 0;
    if (this.values.length > 4096) this.values = new Float64Array(64);
  }
}
