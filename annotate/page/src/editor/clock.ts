// Time on task: counts while the page is visible and the person is active.

/** Without a key, a click or a move for this long, the person is taken to be away. */
const idleAfter = 60_000;

export class Clock {
  private counted = 0;
  private since: number | null = null;
  private lastActive = 0;

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Starts again at a number of seconds, for example those of a draft. */
  reset(seconds: number): void {
    this.counted = seconds * 1000;
    this.since = this.lastActive = this.now();
  }

  /** Tells that the person did something. */
  active(): void {
    const now = this.now();
    if (this.since !== null && now - this.lastActive > idleAfter) {
      this.counted += this.lastActive - this.since;
      this.since = now;
    }
    if (this.since === null) this.since = now;
    this.lastActive = now;
  }

  /** Seconds since the person did something. */
  get idle(): number {
    return (this.now() - this.lastActive) / 1000;
  }

  /** Stops until the next activity, for example when the page is hidden. */
  pause(): void {
    this.counted = this.seconds() * 1000;
    this.since = null;
  }

  /** Seconds on task so far. The grace before being away does not count. */
  seconds(): number {
    if (this.since === null) return this.counted / 1000;
    const now = this.now();
    const until = now - this.lastActive > idleAfter ? this.lastActive : now;
    return (this.counted + until - this.since) / 1000;
  }
}
