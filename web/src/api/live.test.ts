import { afterEach, beforeEach, expect, it, vi } from 'vitest';

/** A stream as a browser gives it, opened and closed by the test. */
class Line extends EventTarget {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSED = 2;
  static readonly all: Line[] = [];
  readyState = Line.CONNECTING;
  readonly url: string;
  constructor(url: string) {
    super();
    this.url = url;
    Line.all.push(this);
  }
  opens(): void {
    this.readyState = Line.OPEN;
    this.dispatchEvent(new Event('open'));
  }
  says(type: string, id = ''): void {
    this.dispatchEvent(Object.assign(new Event(type), { data: '{}', lastEventId: id }));
  }
  close(): void {
    this.readyState = Line.CLOSED;
  }
}

const line = (): Line => {
  const last = Line.all.at(-1);
  if (!last) throw new Error('no stream was opened');
  return last;
};
let isThere = true;
let isKnown = true;
let stop = (): void => {};
const kindNow = async (): Promise<string> => (await import('./contact.ts')).contactNow().kind;
const ask = async (): Promise<void> => {
  await (await import('./client.ts')).call('/v1/session');
};

beforeEach(async () => {
  vi.useFakeTimers();
  vi.resetModules();
  Line.all.length = 0;
  isThere = isKnown = true;
  vi.stubGlobal('EventSource', Line);
  vi.stubGlobal('document', Object.assign(new EventTarget(), { visibilityState: 'visible' }));
  vi.stubGlobal('fetch', async (path: string) => {
    if (!isThere) throw new TypeError('Failed to fetch');
    // Anybody may ask whether the service is there.
    return Response.json({ detail: 'it was revoked' }, { status: isKnown || path === '/healthz' ? 200 : 401 });
  });
  stop = (await import('./live.ts')).startLive();
});
afterEach(() => {
  stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it('is live again after one request that failed, though the next one was answered before anybody looked', async () => {
  line().opens();
  expect(await kindNow()).toBe('live');
  isThere = false;
  await ask();
  expect(await kindNow()).toBe('stale');
  isThere = true;
  await ask();
  expect(await kindNow()).toBe('polling');
  await vi.advanceTimersByTimeAsync(3_000);
  expect(Line.all).toHaveLength(2);
  line().opens();
  expect(await kindNow()).toBe('live');
});

it('takes what comes through the stream as a sign that it is there', async () => {
  line().opens();
  isThere = false;
  await ask();
  line().says('message', '7');
  expect(await kindNow()).toBe('live');
});

it('leaves a stream alone that only gives signs of life, and opens one again that gives none', async () => {
  line().opens();
  for (let sign = 0; sign < 8; sign += 1) {
    await vi.advanceTimersByTimeAsync(15_000);
    line().says('alive');
  }
  expect(Line.all).toHaveLength(1);
  line().says('message', '42');
  await vi.advanceTimersByTimeAsync(50_000);
  expect(Line.all).toHaveLength(2);
  expect(line().url).toBe('/v1/events?after=42');
});

it('asks every few seconds where the stream does not get through, and leaves the opening of it to the browser', async () => {
  await vi.advanceTimersByTimeAsync(3_000);
  expect(await kindNow()).toBe('polling');
  await vi.advanceTimersByTimeAsync(9_000);
  expect(Line.all).toHaveLength(1);
});

it('is stale while nothing answers, and opens the stream again as soon as something does', async () => {
  line().opens();
  line().readyState = Line.CONNECTING;
  line().dispatchEvent(new Event('error'));
  isThere = false;
  await vi.advanceTimersByTimeAsync(9_000);
  expect(await kindNow()).toBe('stale');
  isThere = true;
  await vi.advanceTimersByTimeAsync(3_000);
  line().opens();
  expect(await kindNow()).toBe('live');
});

it('learns from a stream that was ended that nobody knows us any longer, on a page that asks nothing else', async () => {
  line().opens();
  const heard: unknown[] = [];
  (await import('./client.ts')).onUnknown((why) => heard.push(why));
  isKnown = false;
  line().close();
  line().dispatchEvent(new Event('error'));
  await vi.advanceTimersByTimeAsync(3_000);
  expect(heard).not.toEqual([]);
});
