/** What films show, without a page: what tests compare with what the shell makes. */

export * from "./choreography";
export { axisPlane, linearPlane, project } from "../maths";
