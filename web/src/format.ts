/** Numbers, shares and times as people read them. Words of state come from the service; these are figures only. */

/** 250 basis points: `2.5 %`. */
export const percent = (bp: number): string => `${bp / 100} %`;

/** `0.012` as `1.2 %`: as many digits as tell something. */
export function share(value: number): string {
  const hundredths = 100 * value;
  if (hundredths === 0) return '0 %';
  if (Math.abs(hundredths) < 0.001) return '< 0.001 %';
  return `${Number(hundredths.toPrecision(3))} %`;
}

export const count = (value: number): string => Math.round(value).toLocaleString('en-US');

/** Three digits, and no exponent before there is no other way. */
export function figure(value: number): string {
  const short = Number(value.toPrecision(3));
  return Math.abs(short) >= 1000 ? count(value) : String(short);
}

const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
  ['s', 1],
] as const;

/** The two largest units: `1 h 5 min`, `42 s`. Under a second it is `0 s`. */
export function span(ms: number): string {
  let rest = Math.max(0, Math.round(ms / 1000));
  const parts: string[] = [];
  for (const [unit, seconds] of UNITS) {
    const whole = Math.floor(rest / seconds);
    rest -= whole * seconds;
    if (whole > 0) parts.push(`${whole} ${unit}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.join(' ') || '0 s';
}

/** A countdown that does not jump about: `0:42`, `12:05`, `3:04:00`, `2 d 4 h`. */
export function clock(ms: number): string {
  const all = Math.max(0, Math.ceil(ms / 1000));
  if (all >= 86_400) return span(all * 1000);
  const pad = (value: number): string => String(value).padStart(2, '0');
  const [h, m, s] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  return h > 0 ? `${h}:${pad(m)}:${pad(s)}` : `${m}:${pad(s)}`;
}

const isSameDay = (a: Date, b: Date): boolean => a.toDateString() === b.toDateString();

/** `14:03:09` today, `19 Nov 14:03` before, with the year when it is another. */
export function moment(at: number, now: number): string {
  const date = new Date(at);
  const today = new Date(now);
  const time = date.toLocaleTimeString('en-GB');
  if (isSameDay(date, today)) return time;
  const year = date.getFullYear() === today.getFullYear() ? '' : ` ${date.getFullYear()}`;
  return `${date.getDate()} ${date.toLocaleString('en-GB', { month: 'short' })}${year} ${time.slice(0, 5)}`;
}

export const timeOfDay = (at: number): string => new Date(at).toLocaleTimeString('en-GB');
export const exactly = (at: number): string => new Date(at).toISOString();

/** A figure stays with its percent sign, wherever the line ends. */
export const unbroken = (sentence: string): string => sentence.replaceAll(/(\d) (%|ms\b)/g, '$1\u00a0$2');
