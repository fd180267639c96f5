/** Starts the console. */
import './styles/base.css';
import './styles/layout.css';
import './styles/parts.css';
import './styles/pages.css';
import './styles/forms.css';
import { render } from 'preact';
import { App, isOurs } from './app.tsx';
import { followLinks } from './router.ts';
import { startTheme } from './theme.ts';

const root = document.querySelector('#app');
if (root) {
  startTheme();
  followLinks(isOurs);
  render(<App />, root);
  if (import.meta.env.DEV) void import('./demo-corner.tsx').then(({ showCorner }) => showCorner());
}
