/** Said before anything else is loaded: an old Node fails on the first `.ts` file or crashes in the database driver. */

/** What is wrong with this Node and what to do, or null. */
export function unfitNode(version: string): string | null {
  const major = Number(/^v?(\d+)\./.exec(version)?.[1] ?? 0);
  if (major >= 24) return null;
  return `Headgate runs on Node 24, and this is ${version}. Start it with "npm start" (which brings the right Node along) or install Node 24.`;
}
