/** What must be true, checked in production too: a wrong value here would move traffic. */
export class AssertionFailed extends Error {
  override readonly name = 'AssertionFailed';
}

export function assert(condition: unknown, what: string): asserts condition {
  if (!condition) throw new AssertionFailed(`assertion failed: ${what}`);
}

/** The end of every `switch` on a union: a new variant becomes a compile error where it is not handled. */
export function unreachable(value: never): never {
  throw new AssertionFailed(`unreachable: ${JSON.stringify(value)}`);
}
