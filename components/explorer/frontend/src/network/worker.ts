/** The worker of the explorer, where it is a module beside it. */

import { serve } from "./serve";

serve();
