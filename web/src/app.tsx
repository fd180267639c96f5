/** Which page belongs to an address, and what comes before all pages: knowing who asks. */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { onUnknown } from './api/client.ts';
import { useContact } from './api/contact.ts';
import { startLive } from './api/live.ts';
import { Rights } from './api/rights.ts';
import type { Identity } from './api/session.ts';
import { signedOut, whoAmI } from './api/session.ts';
import { Layout } from './parts/layout.tsx';
import { Loading } from './parts/notices.tsx';
import { Audit } from './pages/audit.tsx';
import { Connections } from './pages/connections.tsx';
import { Deliveries } from './pages/deliveries.tsx';
import { History } from './pages/history.tsx';
import { NewRelease } from './pages/new-release.tsx';
import { Overview } from './pages/overview.tsx';
import { ReleasePage } from './pages/release.tsx';
import { SignIn } from './pages/sign-in.tsx';
import { Tokens } from './pages/tokens.tsx';
import type { Place } from './router.ts';
import { matchPath, usePlace } from './router.ts';

type Params = Readonly<Record<string, string>>;
type PageRoute = readonly [
  pattern: string,
  title: (params: Params) => string,
  page: (place: Place, params: Params) => JSX.Element,
];

/** A new page is a line here, a line in `pages.ts`, and a path in `src/http/console.ts`. */
const ROUTES: readonly PageRoute[] = [
  ['/', () => 'Overview', (place) => <Overview place={place} />],
  ['/new', () => 'New release', (place) => <NewRelease place={place} />],
  ['/history', () => 'History', (place) => <History place={place} />],
  ['/connections', () => 'Connections', () => <Connections />],
  ['/deliveries', () => 'Deliveries', (place) => <Deliveries place={place} />],
  ['/audit', () => 'Audit', (place) => <Audit place={place} />],
  ['/tokens', () => 'Tokens', (place) => <Tokens place={place} />],
  ['/releases/:id', () => 'Release', (_, { id = '' }) => <ReleasePage key={id} id={id} />],
];

export const isOurs = (path: string): boolean => ROUTES.some(([pattern]) => matchPath(pattern, path) !== null);

export function App() {
  const place = usePlace();
  const identity = useIdentity();
  const found = ROUTES.flatMap(([pattern, title, page]) => {
    const params = matchPath(pattern, place.path);
    return params ? [{ title: title(params), page: () => page(place, params) }] : [];
  })[0];
  useEffect(() => {
    document.title = found ? `${found.title} · Headgate` : 'Headgate';
  }, [found?.title]);
  if (identity?.kind === 'signed-out') return <SignIn why={identity.why} />;
  return (
    <Layout path={place.path} identity={identity}>
      <Rights.Provider value={identity}>
        {identity === null ? (
          <Loading of="who is signed in" />
        ) : found ? (
          found.page()
        ) : (
          <>
            <h1>There is nothing here</h1>
            <p>
              No page of the console has this address. <a href="/">See what runs</a>
            </p>
          </>
        )}
      </Rights.Provider>
    </Layout>
  );
}

const AGAIN_MS = 3_000;

/**
 * Asked before anything else, and again whenever the service is back: a session may have ended meanwhile. Whichever
 * question is answered by that first ends the page: nothing on it is asked, counted down or believed any longer.
 */
function useIdentity(): Identity | null {
  const [identity, setIdentity] = useState<Identity | null>(null);
  const { kind } = useContact();
  const isAway = kind === 'stale';
  const isKnown = identity !== null;
  const ask = (): void => void whoAmI().then((found) => found && setIdentity(found));
  useEffect(() => onUnknown((why) => setIdentity((before) => signedOut(before, why))), []);
  useEffect(() => {
    if (!isAway) ask();
  }, [isAway]);
  useEffect(() => {
    const timer = isKnown ? undefined : setInterval(ask, AGAIN_MS);
    return () => clearInterval(timer);
  }, [isKnown]);
  // Whoever is not signed in would only be refused.
  const mayListen = isKnown && identity.kind !== 'signed-out';
  useEffect(() => (mayListen ? startLive() : undefined), [mayListen]);
  return identity;
}
