/** Errors that a person can understand. */

/** A fault of a run or of the browser, in three sentences: what happened, what was expected, what to do. */
export class Fault extends Error {
  constructor(problem: string, advice: string) {
    super([problem, advice].map((part) => part.charAt(0).toUpperCase() + part.slice(1)).join(". ") + ".");
  }
}

/** The fault where a run has no such file. */
export class MissingFile extends Fault {}

/** What to do about a file that did not arrive as it should. */
export const RELOAD = "reload the page, and if that does not help, train or download this run again";

/** The message of whatever was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
