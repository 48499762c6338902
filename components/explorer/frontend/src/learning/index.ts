/** Networks that learn, without a page: also what benchmarks and tests load. */

export { Trainer, type Samples } from "./trainer";
export type { Spec } from "./spec";
