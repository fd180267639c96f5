/** Where the console is: the address is the state. Links are plain `<a href>`; one listener turns them into moves without a reload. */
import { useEffect, useState } from 'preact/hooks';

export type Place = { readonly path: string; readonly search: URLSearchParams };

const here = (): Place => ({ path: location.pathname, search: new URLSearchParams(location.search) });

const watchers = new Set<() => void>();
const moved = (): void => {
  for (const watcher of watchers) watcher();
};

export function go(to: string, { replace = false }: { readonly replace?: boolean } = {}): void {
  if (replace) history.replaceState(null, '', to);
  else history.pushState(null, '', to);
  moved();
}

export function usePlace(): Place {
  const [place, setPlace] = useState(here);
  useEffect(() => {
    const look = (): void => setPlace(here());
    watchers.add(look);
    addEventListener('popstate', look);
    return () => {
      watchers.delete(look);
      removeEventListener('popstate', look);
    };
  }, []);
  return place;
}

/** The same page with other values in its search; what is null or empty is left out. */
export function withSearch(place: Place, changes: Readonly<Record<string, string | null>>): string {
  const search = new URLSearchParams(place.search);
  for (const [key, value] of Object.entries(changes)) {
    if (value === null || value === '') search.delete(key);
    else search.set(key, value);
  }
  const text = search.toString();
  return text === '' ? place.path : `${place.path}?${text}`;
}

/** `/releases/:id` against `/releases/abc`: what the names stand for, or null. */
export function matchPath(pattern: string, path: string): Readonly<Record<string, string>> | null {
  const wanted = pattern.split('/');
  const given = path.replace(/(.)\/$/, '$1').split('/');
  if (wanted.length !== given.length) return null;
  const found: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const value = given[index] ?? '';
    if (part.startsWith(':')) {
      try {
        found[part.slice(1)] = decodeURIComponent(value);
      } catch {
        return null; // not text that anybody wrote
      }
    } else if (part !== value) return null;
  }
  return found;
}

/** Links within the console move without a reload; all others, and those with a modifier key, are the browser's. */
export function followLinks(isOurs: (path: string) => boolean): void {
  addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (!link || link.target !== '' || link.hasAttribute('download') || link.origin !== location.origin) return;
    if (link.hash !== '' && link.pathname === location.pathname) return;
    if (!isOurs(link.pathname)) return;
    event.preventDefault();
    go(link.pathname + link.search);
    scrollTo(0, 0);
  });
}
