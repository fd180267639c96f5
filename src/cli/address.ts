/** The address of the service, looked at before anything is sent: a wrong one is no service that is away. */

/** What is wrong with it, and what would be right; null for one that can be asked. */
export function wrongAddress(text: string): string | null {
  if (isHttp(text)) return null;
  const meant = `http://${text}`;
  const hint = !text.includes('://') && isHttp(meant) ? `; ${meant} is meant, perhaps` : '';
  return `the address of the service (--server, HEADGATE_SERVER) is a URL such as http://127.0.0.1:8080, not "${text}"${hint}`;
}

const isHttp = (text: string): boolean => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
