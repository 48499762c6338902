/** The script of a page that is a run. */

import { begin } from "./begin";
import { open } from "./run";

begin(() => void open(document.getElementById("explorer")!));
