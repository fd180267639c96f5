/** The pages that the head of the console leads to. A page that is not in here has no link. */
export const PAGES: readonly { readonly path: string; readonly name: string }[] = [{ path: '/', name: 'Overview' }];
