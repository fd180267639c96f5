/** Builds the console into `web/dist`; with `npm run dev`, serves it with reload before a service that is named. */
import { defineConfig } from 'vite';

export default defineConfig(({ mode }) => ({
  root: import.meta.dirname,
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  logLevel: mode === 'production' ? 'warn' : 'info',
  build: {
    outDir: 'dist',
    assetsDir: 'console',
    emptyOutDir: true,
    target: 'es2022',
    // Nothing inline: the policy of the pages allows no `data:` scripts and no inline ones.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
}));
