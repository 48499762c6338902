/** Networks that learn, without a page: also what benchmarks and tests load. */

export type { Samples } from "./plan";
export { Trainer } from "./trainer";
export type { Spec } from "./spec";
