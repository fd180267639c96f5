/** Who did something, so that a program is told from a person of the same name; the command line writes it so, too. */
export const actorText = (kind: string | undefined, name: string): string => (kind === 'ci' ? `ci:${name}` : name);
