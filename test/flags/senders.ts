/** The eight senders as they are: a payload each, and how each one signs. Nothing here is shared with what verifies it. */
import { createHash, createHmac } from 'node:crypto';
import { webhookKinds } from '../../src/adapters/webhooks/index.ts';
import type { WebhookSource } from '../../src/ports/webhook-source.ts';

export type Sent = { readonly headers: Readonly<Record<string, string>>; readonly body: string };

export type Sender = {
  readonly type: string;
  readonly secret: string;
  /** Whether a stamp is signed along, so that what was listened to is worthless soon. */
  readonly isStamped: boolean;
  readonly proof: WebhookSource['proof'];
  /** What says that the flag changed; `serial` makes one delivery another than the next. */
  payload(flag: string, serial: number): string;
  sign(body: string, atMs: number, serial: number, secret?: string): Sent['headers'];
  /** The flag that the payload is read to name; null for any. */
  readonly names: 'flag' | 'any';
};

const hex = (secret: string, body: string): string => createHmac('sha256', secret).update(body).digest('hex');
const base64 = (secret: string | Buffer, text: string): string => createHmac('sha256', secret).update(text).digest('base64');
const seconds = (atMs: number): string => String(Math.floor(atMs / 1000));

const standard = (key: Buffer, body: string, id: string, stamp: string): Sent['headers'] => ({
  'webhook-id': id,
  'webhook-timestamp': stamp,
  'webhook-signature': `v1,${base64(key, `${id}.${stamp}.${body}`)}`,
});

const WHSEC = `whsec_${createHash('sha256').update('a key for tests').digest('base64')}`;

export const senders: readonly Sender[] = [
  {
    type: 'launchdarkly',
    secret: 'ld-secret-for-tests',
    isStamped: false,
    proof: 'signature',
    names: 'flag',
    payload: (flag, serial) =>
      JSON.stringify({
        _id: `65c4${serial}`,
        date: 1_707_000_000_000 + serial,
        kind: 'flag',
        name: 'Checkout v2',
        description: '* Changed the default rule',
        shortDescription: '',
        comment: '',
        accesses: [{ action: 'updateFallthrough', resource: `proj/default:env/production:flag/${flag}` }],
        member: { _id: '1', email: 'ann@example.com', firstName: 'Ann', lastName: 'B' },
        titleVerb: 'updated the flag',
        target: { name: 'Checkout v2', resources: [`proj/default:env/production:flag/${flag}`] },
      }),
    sign: (body, _at, _serial, secret = 'ld-secret-for-tests') => ({ 'x-ld-signature': hex(secret, body) }),
  },
  {
    type: 'unleash',
    secret: 'unleash-token-for-tests',
    isStamped: false,
    proof: 'token',
    names: 'flag',
    payload: (flag, serial) =>
      JSON.stringify({
        id: serial,
        type: 'feature-strategy-update',
        createdBy: 'ann',
        createdByUserId: 7,
        createdAt: '2026-08-21T10:00:00Z',
        project: 'default',
        environment: 'production',
        featureName: flag,
        data: { name: 'flexibleRollout', parameters: { rollout: '25', stickiness: 'default' } },
        preData: {},
        tags: [],
      }),
    sign: (_body, _at, _serial, secret = 'unleash-token-for-tests') => ({ authorization: secret }),
  },
  {
    type: 'flagsmith',
    secret: 'flagsmith-secret-for-tests',
    isStamped: false,
    proof: 'signature',
    names: 'flag',
    payload: (flag, serial) =>
      JSON.stringify({
        data: {
          changed_by: 'ann@example.com',
          new_state: {
            enabled: true,
            environment: { id: 61, name: 'Production' },
            feature: { id: 168, name: flag, project: { id: 15, name: 'Shop' }, type: 'STANDARD' },
            feature_segment: null,
            feature_state_value: null,
            identity: null,
            multivariate_feature_state_values: [
              { id: 1, multivariate_feature_option: { id: 3, value: 'v2' }, percentage_allocation: 25.0 },
            ],
          },
          previous_state: {},
          timestamp: `2026-08-21T10:00:00.${serial}Z`,
        },
        event_type: 'FLAG_UPDATED',
      }),
    sign: (body, _at, _serial, secret = 'flagsmith-secret-for-tests') => ({ 'x-flagsmith-signature': hex(secret, body) }),
  },
  {
    type: 'growthbook',
    secret: 'ewhk_for_tests_only',
    isStamped: false,
    proof: 'signature',
    names: 'flag',
    payload: (flag, serial) =>
      JSON.stringify({
        event: 'feature.updated',
        object: 'feature',
        api_version: '2023-10-01',
        created: 1_755_770_000_000 + serial,
        data: { object: { id: flag }, previous_attributes: {} },
        user: { type: 'dashboard', id: 'u_1', email: 'ann@example.com', name: 'Ann' },
        tags: [],
        environments: ['production'],
        containsSecrets: false,
      }),
    sign: (body, _at, _serial, secret = 'ewhk_for_tests_only') => ({ 'x-growthbook-signature': hex(secret, body) }),
  },
  {
    type: 'growthbook-sdk',
    secret: 'wk_for_tests_only',
    isStamped: true,
    proof: 'signature',
    names: 'any',
    payload: (_flag, serial) =>
      JSON.stringify({
        type: 'payload.changed',
        timestamp: `2026-08-21T10:00:00.${serial}Z`,
        data: { payload: '{"features":{}}' },
      }),
    sign: (body, at, serial, secret = 'wk_for_tests_only') => standard(Buffer.from(secret), body, `msg_${serial}`, seconds(at)),
  },
  {
    type: 'flipt',
    secret: 'flipt-secret-for-tests',
    isStamped: false,
    proof: 'signature',
    names: 'flag',
    payload: (flag, serial) =>
      JSON.stringify({
        version: '0.1',
        type: 'flag',
        action: 'updated',
        metadata: { actor: { authentication: 'token', ip: '127.0.0.1', name: 'ann' } },
        payload: { key: flag, namespace_key: 'default', enabled: true },
        timestamp: `2023-09-13T13:05:18.${serial}-04:00`,
      }),
    sign: (body, _at, _serial, secret = 'flipt-secret-for-tests') => ({ 'x-flipt-webhook-signature': hex(secret, body) }),
  },
  {
    type: 'configcat',
    secret: 'configcat_whsk_for_tests_only',
    isStamped: true,
    proof: 'signature',
    names: 'flag',
    payload: (flag, serial) =>
      `{"source":"configcat","config":"08d8","environment":"08d9","by":"ann@example.com","notes":"n ${serial}","changes":[{"settingKey":"${flag}","event":"changed","details":"\\r\\n${flag}:\\r\\n  + 20% true"}]}`,
    sign(body, at, serial, secret = 'configcat_whsk_for_tests_only') {
      const id = createHash('md5').update(`${serial}`).digest('hex');
      return {
        'x-configcat-webhook-id': id,
        'x-configcat-webhook-timestamp': seconds(at),
        'x-configcat-webhook-signature-v1': `${base64('another key', body)},${base64(secret, `${id}${seconds(at)}${body}`)}`,
      };
    },
  },
  {
    type: 'standard',
    secret: WHSEC,
    isStamped: true,
    proof: 'signature',
    names: 'flag',
    payload: (flag, serial) =>
      JSON.stringify({ type: 'flag.updated', timestamp: '2026-08-21T10:00:00Z', data: { flag, by: 'ann', serial } }),
    sign: (body, at, serial, secret = WHSEC) =>
      standard(Buffer.from(secret.slice('whsec_'.length), 'base64'), body, `msg_${serial}`, seconds(at)),
  },
];

export function sourceOf(sender: Pick<Sender, 'type' | 'secret'>, more: Readonly<Record<string, unknown>> = {}): WebhookSource {
  const kind = webhookKinds[sender.type];
  if (!kind) throw new Error(`no kind ${sender.type}`);
  return kind.create(sender.type, { type: sender.type, secret: sender.secret, ...more });
}
