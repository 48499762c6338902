/** An explorer that follows a network while it learns: points, decoder and, less often, what is told of all codes. */

import { causeNow } from "../cause";
import type { Scene } from "../scene";
import type { Session } from "./session";

/** Milliseconds between two times that ranges and neighbours are taken from codes that change. */
const RANGES = 250;
/** What a hand does on an explorer. */
const HAND = ["pointermove", "input", "keydown"] as const;

/** Has the scene show what the training tells. Returns what ends that. */
export function following(scene: Scene, session: Session): () => void {
  let ranged = 0;
  const root = scene.map.element.closest(".hg");
  const moved = (): void => void (session.handAt = performance.now());
  for (const name of HAND) root?.addEventListener(name, moved, true);
  const unfollow = session.follow(() => {
    const { latest: told } = session;
    if (!told) return;
    const { data, map, state } = scene,
      rests = told.rest !== undefined;
    data.renew(told.codes, session.plane(told.codes), told.rest?.errors ?? null);
    scene.decoding.renew(told.decoder, rests);
    if (rests || performance.now() - ranged > RANGES) {
      ranged = performance.now();
      data.renewFinder();
      Object.assign(scene.card.codes, session.describe(told.codes));
      scene.side.renew();
    }
    scene.showPlane(data.planeOf(state.now.plane), !map.byHand, rests);
    const { picked } = state.now;
    if (picked !== null) scene.setCode(data.codeOf(picked), causeNow(), picked);
    else scene.decoding.request(causeNow());
  });
  return () => {
    unfollow();
    for (const name of HAND) root?.removeEventListener(name, moved, true);
  };
}
