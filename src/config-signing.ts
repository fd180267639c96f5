/** With what the things that go out are signed, by `headgate.yaml`; and what goes out without a signature. */
import { BOTH, secretsOf } from './adapters/notify/signed.ts';
import type { SecretOptions } from './adapters/notify/signed.ts';
import type { ConfigDocument } from './config-document.ts';
import type { Path } from './contract/problem.ts';
import { secretProblem } from './lib/standard-webhooks.ts';

type Complain = (path: Path, message: string) => void;

/** Each service's own, or the ones of all. */
export function hookSecretsOf(
  { services, signing }: Pick<ConfigDocument, 'services' | 'signing'>,
  complain: Complain,
): Readonly<Record<string, readonly string[]>> {
  judge(signing, ['signing'], complain);
  return Object.fromEntries(
    Object.entries(services).map(([name, { hooks }]) => {
      judge(hooks, ['services', name, 'hooks'], complain);
      return [name, secretsOf(isSigned(hooks) ? hooks : signing)];
    }),
  );
}

const isSigned = ({ secret, secrets }: SecretOptions): boolean => secret !== undefined || secrets !== undefined;

function judge({ secret, secrets }: SecretOptions, path: Path, complain: Complain): void {
  if (secret !== undefined && secrets !== undefined) complain([...path, 'secrets'], BOTH);
  const given = [
    ...(secret === undefined ? [] : [{ at: [...path, 'secret'], text: secret }]),
    ...(secrets ?? []).map((text, index) => ({ at: [...path, 'secrets', index], text })),
  ];
  for (const { at, text } of given) {
    const problem = secretProblem(text);
    if (problem !== null) complain(at, problem);
  }
}

/** Anybody who knows the address of such a receiver can tell it what they like. */
export function unsigned({ notify, services, signing }: ConfigDocument): readonly string[] {
  const webhooks = Object.entries(notify)
    .filter(([, options]) => options.type === 'webhook' && options['secret'] === undefined && options['secrets'] === undefined)
    .map(([name]) => `notify.${name}`);
  const hooks = Object.entries(services)
    .filter(([, { hooks: of }]) => {
      const { secret: _one, secrets: _several, ...urls } = of;
      return Object.values(urls).some((url) => url !== undefined) && !isSigned(of) && !isSigned(signing);
    })
    .map(([name]) => `services.${name}.hooks`);
  return [...webhooks, ...hooks].map(
    (what) =>
      `${what} is not signed: give it a secret (openssl rand -base64 32), so that its receiver can tell it from a forged one`,
  );
}
