/** Plays a film as it will be, without making a file of it. */

import type { Film } from "./film";

export class Player {
  private film: Film | null = null;
  private loop = true;
  /** When each frame ends, in milliseconds. */
  private ends: number[] = [];
  private at = 0;
  private frame = 0;
  private before = 0;

  /** `changed` hears when it begins to play and when it stops. */
  constructor(private readonly changed: () => void) {}

  get playing(): boolean {
    return this.frame > 0;
  }

  /** Another film, from its beginning or from where the one before was. It begins to play where it `moves` by itself. */
  show(film: Film, loop: boolean, moves: boolean): void {
    const first = this.film === null;
    this.film = film;
    this.loop = loop;
    let sum = 0;
    this.ends = film.hundredths.map((one) => (sum += 10 * one));
    this.at = first || this.at >= sum ? 0 : this.at;
    this.paint();
    if (first && moves) this.play();
  }

  toggle(): void {
    if (this.playing) this.pause();
    else this.play();
  }

  private paint(): void {
    const k = this.ends.findIndex((end) => end > this.at);
    this.film!.paint(k < 0 ? this.ends.length - 1 : k);
  }

  private play(): void {
    if (!this.film || this.playing) return;
    const whole = () => this.ends.at(-1)!;
    if (this.at >= whole()) this.at = 0;
    this.before = performance.now();
    const step = () => {
      const now = performance.now();
      this.at += now - this.before;
      this.before = now;
      if (this.at >= whole() && !this.loop) {
        this.paint();
        return this.pause();
      }
      this.at %= whole();
      this.paint();
      this.frame = requestAnimationFrame(step);
    };
    this.frame = requestAnimationFrame(step);
    this.changed();
  }

  pause(): void {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.changed();
  }

  end(): void {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
  }
}
