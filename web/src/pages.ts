/** The pages that the head of the console leads to. A page that is not in here has no link. */
export const PAGES: readonly { readonly path: string; readonly name: string }[] = [
  { path: '/', name: 'Overview' },
  { path: '/new', name: 'New release' },
  { path: '/history', name: 'History' },
  { path: '/connections', name: 'Connections' },
  { path: '/deliveries', name: 'Deliveries' },
  { path: '/audit', name: 'Audit' },
  { path: '/tokens', name: 'Tokens' },
];
