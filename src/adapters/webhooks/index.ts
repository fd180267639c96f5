/** Who may tell us that a flag changed: a name in `headgate.yaml` to its options, how it is verified, read and asked. */
import { z } from 'zod';
import { strict } from '../../contract/values.ts';
import { err, ok } from '../../lib/result.ts';
import type { Incoming, WebhookSource } from '../../ports/webhook-source.ts';
import { keyOf, secretProblem } from '../../lib/standard-webhooks.ts';
import { parsed } from '../outgoing/json.ts';
import { secrets } from './common.ts';
import { configcatApi, configcatFlags, configcatHints } from './configcat.ts';
import { flagsmithApi, flagsmithFlags, flagsmithHints } from './flagsmith.ts';
import { fliptApi, fliptFlags, fliptHints } from './flipt.ts';
import { growthbookApi, growthbookFlags, growthbookHints, growthbookSdkHints } from './growthbook.ts';
import { launchdarklyApi, launchdarklyFlags, launchdarklyHints, launchdarklyId } from './launchdarkly.ts';
import { digestOf, isConfigcatSigned, isHexSigned, isStandardSigned, isToken } from './signatures.ts';
import type { Stamped } from './signatures.ts';
import { standardHints, standardPointers } from './standard.ts';
import { unleashApi, unleashFlags, unleashHints } from './unleash.ts';

export type WebhookKind = {
  readonly options: z.ZodType;
  create(name: string, options: unknown): WebhookSource;
};

type Parts = Pick<WebhookSource, 'hints' | 'flags'> & {
  readonly proof?: WebhookSource['proof'];
  isGenuine(incoming: Incoming): boolean;
  /** The sender's own name for a delivery that is the same when it is sent again; null for a digest of its bytes. */
  id?(incoming: Incoming): string | null;
};

function kind<S extends z.ZodType>(type: string, options: S, parts: (options: z.output<S>) => Parts): WebhookKind {
  return {
    options,
    create(name, given) {
      const { proof = 'signature', isGenuine, id, hints, flags } = parts(options.parse(given));
      return {
        name,
        type,
        proof,
        hints,
        flags,
        verify(incoming) {
          if (!isGenuine(incoming)) return err(proof === 'token' ? 'the token is another' : 'the signature does not fit');
          const key = id?.(incoming) ?? null;
          return ok(key !== null && key.length <= LONGEST_KEY ? key : `sha256:${digestOf(incoming.body)}`);
        },
      };
    },
  };
}

const LONGEST_KEY = 200;

/** A sender whose signature is the hex HMAC of the body, in a header of its own. */
const hexSigned = (header: string, keys: readonly string[]) => ({
  isGenuine: (incoming: Incoming): boolean => isHexSigned(incoming.body, incoming.header(header), keys),
});

function standardSigned(keys: readonly Uint8Array[]): Pick<Parts, 'isGenuine' | 'id'> {
  const stamped = ({ header }: Incoming): Stamped => ({
    id: header('webhook-id'),
    timestamp: header('webhook-timestamp'),
    signature: header('webhook-signature'),
  });
  return {
    isGenuine: (incoming) => isStandardSigned(incoming.body, stamped(incoming), keys, incoming.now),
    id: ({ header }) => header('webhook-id') ?? null,
  };
}

const CONFIGCAT = 'x-configcat-webhook-signature-v1';

const configcatStamp = ({ header }: Incoming): Stamped => ({
  id: header('x-configcat-webhook-id'),
  timestamp: header('x-configcat-webhook-timestamp'),
  signature: header(CONFIGCAT),
});

const textOf = (body: Uint8Array): string => Buffer.from(body).toString('utf8');

const whsec = secrets.superRefine((keys, ctx) => {
  const problem = keys.map((key) => secretProblem(key)).find((each) => each !== null);
  if (problem != null) ctx.addIssue(problem);
});

export const webhookKinds: Readonly<Record<string, WebhookKind>> = {
  launchdarkly: kind(
    'launchdarkly',
    strict({ type: z.literal('launchdarkly'), secret: secrets, api: launchdarklyApi.optional() }),
    ({ secret, api }) => ({
      ...hexSigned('x-ld-signature', secret),
      id: ({ body }) => launchdarklyId.safeParse(parsed(textOf(body))).data ?? null,
      hints: (body) => launchdarklyHints(body, api?.environment ?? null),
      flags: api ? launchdarklyFlags(api) : null,
    }),
  ),
  unleash: kind(
    'unleash',
    strict({ type: z.literal('unleash'), secret: secrets, api: unleashApi.optional() }),
    ({ secret, api }) => ({
      proof: 'token',
      isGenuine: ({ header }) => isToken(header('authorization'), secret),
      hints: (body) => unleashHints(body, api?.environment ?? null),
      flags: api ? unleashFlags(api) : null,
    }),
  ),
  flagsmith: kind(
    'flagsmith',
    strict({ type: z.literal('flagsmith'), secret: secrets, api: flagsmithApi.optional() }),
    ({ secret, api }) => ({
      ...hexSigned('x-flagsmith-signature', secret),
      hints: flagsmithHints,
      flags: api ? flagsmithFlags(api) : null,
    }),
  ),
  growthbook: kind(
    'growthbook',
    strict({ type: z.literal('growthbook'), secret: secrets, api: growthbookApi.optional() }),
    ({ secret, api }) => ({
      ...hexSigned('x-growthbook-signature', secret),
      hints: (body) => growthbookHints(body, api?.environment ?? null),
      flags: api ? growthbookFlags(api) : null,
    }),
  ),
  'growthbook-sdk': kind(
    'growthbook-sdk',
    strict({ type: z.literal('growthbook-sdk'), secret: secrets, api: growthbookApi.optional() }),
    ({ secret, api }) => ({
      // Its key is signed with as it is written, where the standard would decode it.
      ...standardSigned(secret.map((key) => Buffer.from(key))),
      hints: growthbookSdkHints,
      flags: api ? growthbookFlags(api) : null,
    }),
  ),
  flipt: kind('flipt', strict({ type: z.literal('flipt'), secret: secrets, api: fliptApi.optional() }), ({ secret, api }) => ({
    ...hexSigned('x-flipt-webhook-signature', secret),
    hints: (body) => fliptHints(body, api?.namespace ?? null),
    flags: api ? fliptFlags(api) : null,
  })),
  configcat: kind(
    'configcat',
    strict({ type: z.literal('configcat'), secret: secrets, api: configcatApi.optional() }),
    ({ secret, api }) => ({
      isGenuine: (incoming) => isConfigcatSigned(incoming.body, configcatStamp(incoming), secret, incoming.now),
      // Another one on each retry: a retry is worked on twice and finds nothing new, and a replay is known.
      id: (incoming) => configcatStamp(incoming).id ?? null,
      hints: configcatHints,
      flags: api ? configcatFlags(api) : null,
    }),
  ),
  standard: kind('standard', strict({ type: z.literal('standard'), secret: whsec, ...standardPointers }), (options) => ({
    ...standardSigned(options.secret.map(keyOf)),
    hints: (body) => standardHints(body, options),
    flags: null,
  })),
};
