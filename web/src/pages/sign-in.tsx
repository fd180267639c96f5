/** Asks for a token and gives it to the service, which keeps it in a cookie that no script can read. */
import { useState } from 'preact/hooks';
import type { Failure } from '../api/client.ts';
import { signIn } from '../api/session.ts';
import { Icon } from '../parts/icon.tsx';
import { CopyLine, ErrorBox } from '../parts/notices.tsx';

/** `why`: what became of the session that was; null when there was none. */
export function SignIn({ why }: { readonly why: string | null }) {
  const [token, setToken] = useState('');
  const [error, setError] = useState<Failure | null>(null);
  const [isAsking, setAsking] = useState(false);
  const send = async (event: Event): Promise<void> => {
    event.preventDefault();
    setAsking(true);
    const answer = await signIn(token);
    setAsking(false);
    // From the beginning: everything that was refused before is asked for again.
    if (answer.ok) location.reload();
    else setError(answer.error);
  };
  return (
    <main class="sign-in" id="main">
      <form class="card" onSubmit={send}>
        <h1>Sign in to Headgate</h1>
        {why === null ? null : (
          <p class="notice warn" role="status">
            <Icon name="warn" />
            <span>
              <strong>Signed out:</strong> {why}. Signing in brings back this page.
            </span>
          </p>
        )}
        <label for="token">Token</label>
        <input
          id="token"
          type="password"
          autoComplete="current-password"
          spellcheck={false}
          required
          value={token}
          onInput={({ currentTarget }) => setToken(currentTarget.value)}
        />
        {error ? <ErrorBox error={error} /> : null}
        <button type="submit" class="primary" disabled={isAsking}>
          Sign in
        </button>
        <p class="soft">
          No token yet? An administrator makes one on the command line. The first one is in the file that the service named when
          it started.
        </p>
        <CopyLine text="headgate token create --name NAME --role operator" />
      </form>
    </main>
  );
}
