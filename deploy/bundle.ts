/** `npm run bundle` */
import { bundlePrograms } from "./programs.js";

await bundlePrograms();
