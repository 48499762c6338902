/** Every lab with a part in the browser, by its name. A further one is a file and a line here. */

import { anomalies } from "./anomalies";
import { codes } from "./codes";
import { compress } from "./compress";
import { denoise } from "./denoise";
import { features } from "./features";
import { generate } from "./generate";
import type { LabOf } from "./lab";
import { recommend } from "./recommend";
import { sequences } from "./sequences";

export const LABS: Readonly<Record<string, LabOf>> = {
  anomalies,
  codes,
  compress,
  denoise,
  features,
  generate,
  recommend,
  sequences,
};
