/** Long calculations as generators that stop for a moment now and then, so that whoever runs them may let others in between. */
export type Work<T> = Generator<void, T, void>;

/** To its end at once: for the command line and for tests. */
export function whole<T>(work: Work<T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
  }
}
