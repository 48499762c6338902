/** What the page offers to whoever trains here: a network that learns takes the place of the run, and gives it back. */

import type { RunData } from "../data";
import type { Session } from "./session";

export interface Again {
  /** The training whose network is shown; null where it is the run's own. */
  readonly session: Session | null;
  /** The codes and samples that are learnt from: the run's own, whatever is shown. */
  readonly data: RunData;
  readonly startWorker: () => Worker;
  /** What was drawn to be learnt from: values of samples, each as the encoder sees it. */
  readonly drawings: Float32Array[];
  /** Shows the network of a training that has begun, and follows it. */
  show(session: Session): void;
  /** Shows the training that was left when the page was; false where there is none. */
  resume(): boolean;
  /** Back to the run as it came. */
  leave(): void;
}
