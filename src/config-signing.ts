/** With what the things that go out are signed, by `headgate.yaml`; and what goes out without a signature. */
import { BOTH, secretsOf } from './adapters/notify/signed.ts';
import type { SecretOptions } from './adapters/notify/signed.ts';
import type { ConfigDocument } from './config-document.ts';
import { partAt } from './contract/mend.ts';
import type { Path } from './contract/problem.ts';
import { secretProblem } from './lib/standard-webhooks.ts';

type Complain = (path: Path, message: string) => void;

/** Each service's own, or the ones of all. */
export const hookSecretsOf = ({
  services,
  signing,
}: Pick<ConfigDocument, 'services' | 'signing'>): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries(Object.entries(services).map(([name, { hooks }]) => [name, secretsOf(isSigned(hooks) ? hooks : signing)]));

const isSigned = ({ secret, secrets }: SecretOptions): boolean => secret !== undefined || secrets !== undefined;

/** Of a document that may be wrong in other places. */
export function judgeSigning(document: unknown, complain: Complain): void {
  const services = Object.keys(partAt(document, ['services']) ?? {});
  for (const path of [['signing'], ...services.map((name) => ['services', name, 'hooks'])]) {
    const secret = partAt(document, [...path, 'secret']);
    const secrets = partAt(document, [...path, 'secrets']);
    if (secret !== undefined && secrets !== undefined) complain([...path, 'secrets'], BOTH);
    const given = [
      { at: [...path, 'secret'], text: secret },
      ...(Array.isArray(secrets) ? secrets : []).map((text: unknown, index) => ({ at: [...path, 'secrets', index], text })),
    ];
    for (const { at, text } of given) {
      const problem = typeof text === 'string' ? secretProblem(text) : null;
      if (problem !== null) complain(at, problem);
    }
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
