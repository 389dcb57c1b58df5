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

  /** Keeps the first `length` numbers. */
  truncate(length: number): void {
    this.size = length;
  }

  clear(): void {
    this.size = 0;
    if (this.values.length > 4096) this.values = new Float64Array(64);
  }
}
