/** The tools, in the order in which they are offered. */

import type { Context } from "../context";
import { TrainAgain } from "./again";
import { Draw } from "./draw";
import { Explore } from "./explore";
import { Lasso } from "./lasso";
import { Path } from "./path";
import { Replay } from "./replay";
import type { Tool } from "./tool";

const TOOLS: readonly (new (context: Context) => Tool)[] = [Explore, Lasso, Path, Draw, Replay, TrainAgain];

/** Those that can be used with this run. The first always can. */
export const toolsFor = (context: Context): Tool[] => TOOLS.map((Kind) => new Kind(context)).filter((t) => t.possible);
