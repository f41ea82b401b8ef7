// Loads before it is asked for, and keeps what was loaded last.

export class Ahead<T> {
  private readonly loaded = new Map<string, Promise<T>>();

  constructor(private readonly fetch: (path: string) => Promise<T>, private readonly limit = 48) {}

  /** What is at a path. It is shared: copy before changing it. */
  get(path: string): Promise<T> {
    let data = this.loaded.get(path);
    if (data) {
      this.loaded.delete(path); // to the end: used last
    } else {
      data = this.fetch(path);
      data.catch(() => this.loaded.delete(path)); // a failure is tried again
    }
    this.loaded.set(path, data);
    for (const oldest of this.loaded.keys()) {
      if (this.loaded.size <= this.limit) break;
      this.loaded.delete(oldest);
    }
    return data;
  }

  /** Starts to load; a failure shows when the data is asked for. */
  load(path: string | null): void {
    if (path) this.get(path).catch(() => {});
  }
}
