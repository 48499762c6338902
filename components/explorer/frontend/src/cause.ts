/** The input that a new code comes from: what the time until its picture is measured from. */

export interface Cause {
  /** When its handler began, in milliseconds of `performance.now()`. */
  readonly begun: number;
  /** When the input happened: the event's own time. */
  readonly stamp: number;
}

export const causeOf = (event: Event): Cause => ({ begun: performance.now(), stamp: event.timeStamp });
export const causeNow = (): Cause => ({ begun: performance.now(), stamp: performance.now() });
