/**
 * The training that somebody left by going to another page of the app. It waits, paused, until its run is opened again; of several
 * the newest does.
 */

import type { Session } from "./session";

let kept: { readonly run: string; readonly session: Session } | null = null;

/** Keeps a training of a run. Where `run` is "", nobody could come back to it: it ends. */
export function keep(run: string, session: Session): void {
  kept?.session.end();
  kept = null;
  if (!run || session.failed) return session.end();
  if (session.running) session.ask({ learn: "pause" });
  kept = { run, session };
}

/** The training of a run that was kept, which is then whoever's asks for it; null where there is none. */
export function take(run: string): Session | null {
  const session = kept?.run === run ? kept.session : null;
  if (session) kept = null;
  return session;
}
