/** What is around every page: the way to the others, how fresh it is, who we are, light or dark. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { useContact } from '../api/contact.ts';
import type { Identity } from '../api/session.ts';
import { signOut } from '../api/session.ts';
import { timeOfDay } from '../format.ts';
import { PAGES } from '../pages.ts';
import { nextTheme, useTheme } from '../theme.ts';
import { Icon } from './icon.tsx';

type LayoutProps = {
  readonly path: string;
  readonly identity: Identity | null;
  readonly children: ComponentChildren;
};

export function Layout({ path, identity, children }: LayoutProps) {
  const main = useRef<HTMLElement>(null);
  const shown = useRef(path);
  useEffect(() => {
    // A new page is read from its beginning, as after a reload.
    if (shown.current !== path) main.current?.focus();
    shown.current = path;
    // On a narrow screen the row of pages scrolls: where one is has to be seen.
    document.querySelector('.pages [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [path]);
  return (
    <>
      <a class="skip" href="#main">
        Skip to the page
      </a>
      <header class="top">
        <a class="brand" href="/">
          <svg viewBox="0 0 32 32" aria-hidden="true" class="mark">
            <path d="M6 4v24M26 4v24" />
            <path class="gate" d="M10.500 6h11v9h-11z" />
            <path class="water" d="M10 22.500c2-1.900 4-1.900 6 0s4 1.900 6 0" />
          </svg>
          Headgate
        </a>
        <nav aria-label="Pages of the console" class="pages">
          {PAGES.map(({ path: to, name }) => (
            <a key={to} href={to} aria-current={to === path ? 'page' : undefined}>
              {name}
            </a>
          ))}
        </nav>
        <div class="aside">
          <ContactPill />
          <Who identity={identity} />
          <ThemeButton />
        </div>
      </header>
      <StaleBanner />
      <main id="main" ref={main} tabIndex={-1}>
        {children}
      </main>
    </>
  );
}

function ContactPill() {
  const contact = useContact();
  return (
    <span
      class={`contact ${contact.kind}`}
      title={contact.kind === 'polling' ? 'No live events get through, so the page asks again every few seconds.' : undefined}
    >
      {contact.kind}
      {contact.kind === 'polling' ? <span class="wide"> every few seconds</span> : null}
    </span>
  );
}

function StaleBanner() {
  const contact = useContact();
  return (
    <div role="status" class="banner-place">
      {contact.kind === 'stale' ? (
        <p class="banner">
          <Icon name="warn" />
          <span>
            <strong>Stale since {timeOfDay(contact.since)}.</strong> Headgate does not answer; what is shown is from then. It
            catches up by itself.
          </span>
        </p>
      ) : null}
    </div>
  );
}

function Who({ identity }: { readonly identity: Identity | null }) {
  if (identity?.kind !== 'known') return null;
  const { name, dev } = identity.session;
  if (dev) return <span class="who">no sign-in (--dev)</span>;
  const leave = async (): Promise<void> => {
    await signOut();
    location.assign('/');
  };
  return (
    <span class="who">
      {name}
      <button type="button" class="quiet" onClick={leave}>
        Sign out
      </button>
    </span>
  );
}

function ThemeButton() {
  const [theme, setTheme] = useTheme();
  const icons = { system: 'system', light: 'sun', dark: 'moon' } as const;
  return (
    <button
      type="button"
      class="quiet icon-only"
      aria-label={`Colours: ${theme}. Change to ${nextTheme(theme)}`}
      title={`Colours: ${theme}`}
      onClick={() => setTheme(nextTheme(theme))}
    >
      <Icon name={icons[theme]} />
    </button>
  );
}
