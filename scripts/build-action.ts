/** Bundles the GitHub Action into the one file that is committed: `npm run build:action`. */
import { writeFileSync } from 'node:fs';
import { bundledAction, BUNDLE } from './bundle-action.ts';

writeFileSync(BUNDLE, await bundledAction());
