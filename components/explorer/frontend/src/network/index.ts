/** Networks in the browser, without a page: also what benchmarks and tests load. */

export { Compiled } from "./compiled";
export { readWeights } from "./weights";
