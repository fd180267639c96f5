/** Texts with `{{names}}` in them, which get their values for each request. */
const PLACEHOLDER = /\{\{([^{}]*)\}\}/g;

export type Place = { readonly name: string; readonly index: number; readonly whole: string };

export const placesIn = (template: string): readonly Place[] =>
  [...template.matchAll(PLACEHOLDER)].map(({ 0: whole, 1: name = '', index }) => ({ name: name.trim(), index, whole }));

/** Why a template asks for what there is not, or null. */
export function unknownPlace(template: string, names: readonly string[]): string | null {
  const strange = placesIn(template).find(({ name }) => !names.includes(name));
  return strange ? `${strange.whole} is none of ${names.map((name) => `{{${name}}}`).join(', ')}` : null;
}

/** The template with its values, each as `put` writes it for the place where it stands. */
export const filled = (template: string, put: (place: Place) => string): string =>
  template.replaceAll(PLACEHOLDER, (whole, name: string, index: number) => put({ name: name.trim(), index, whole }));
