/** A world with something on every page: releases in several states, what ended and why, people, receivers and flags. */
import { createServer } from 'node:http';
import { BAD } from '../../src/demo/world.ts';
import { ask, openStage, SENDER, tellHeadgate, tokenFor } from './stage.ts';
import type { Stage } from './stage.ts';

export type Gallery = {
  readonly stage: Stage;
  readonly adminToken: string;
  /** Every page that there is something to see on, by the name of its picture. */
  readonly pages: ReadonlyMap<string, string>;
  close(): Promise<void>;
};

const plan = (service: string, steps: string): string => `service: ${service}
interval: 1s
hold: 3s
steps: ${steps}
checks:
  errors: { kind: ratio, minRequests: 20, hardMax: 50% }
  latency: { kind: latency, minRequests: 20, tolerance: 100% }
`;

export async function openGallery(): Promise<Gallery> {
  const receiver = await openReceiver();
  const stage = await openStage({
    dev: false,
    perSecond: 60,
    more: {
      sections: `notify:
  automation: { type: webhook, url: ${receiver.url}/well, secret: ${SENDER} }
  on-call: { type: webhook, url: ${receiver.url}/refused, secret: ${SENDER} }
webhooks: { platform: { type: standard, secret: ${SENDER} } }
`,
      service: ['notify: [automation, on-call]', 'flags: [{ source: platform, flag: new-checkout }]'],
    },
  });
  const { world } = stage;
  const [olga, pipeline] = [await tokenFor(world, 'olga', 'operator'), await tokenFor(world, 'deploy', 'operator', 'ci')];
  await tokenFor(world, 'anna', 'approver');
  const gone = await ask<{ readonly token: { readonly id: string } }>(world, '/v1/tokens', {
    body: { name: 'old pipeline', kind: 'ci', role: 'operator', services: ['shop'], expires: '30d' },
  });
  await ask(world, `/v1/tokens/${gone.token.id}`, { method: 'DELETE', body: {} });
  await ask(world, '/v1/plans', { body: { document: plan('checkout', '[5%, 25%, 50%]') }, token: olga });
  await tellHeadgate(world, 'platform', '{"type":"flag.updated","data":{"flag":"new-checkout","by":"ann"}}');
  await tellHeadgate(world, 'platform', '{"type":"flag.updated","data":{}}');

  // Two that end, side by side, and then those that run.
  // Long enough at its last step that it cannot be promoted before it is found out, also where much else runs.
  const found = plan('checkout', '[25%, { weight: 50%, hold: 10m }]');
  const bad = await stage.release('checkout', '2.1.0', { plan: found, behaviour: BAD, token: olga });
  const good = await stage.release('search', '7.4.0', { plan: plan('search', '[25%, 50%]'), token: pipeline });
  const long = plan('shop', '[5%, { weight: 20%, hold: 20m }, 50%]').replace('hold: 3s', 'hold: 3s\nminMeasurements: 1');
  const walking = await stage.release('shop', '1.9.2', { plan: long, token: olga });
  await Promise.all([bad, good].map((id) => until(stage, id, 'terminal')));
  const gated = plan('search', '[25%, { approve: { within: 2h } }, 50%]');
  await stage.release('search', '7.5.0', { plan: gated, token: pipeline });
  const paused = await stage.release('checkout', '2.1.1', {
    plan: plan('checkout', '[{ weight: 10%, hold: 20m }, 50%]'),
    token: olga,
  });
  await until(stage, paused, 'step:1');
  await ask(world, `/v1/releases/${paused}/commands/pause`, { body: { reason: 'the payment provider is down' }, token: olga });
  await ask(world, '/v1/releases', { body: { plan: long, version: '1.9.3', onBusy: 'queue' }, token: pipeline });
  await until(stage, walking, 'step:2');
  return {
    stage,
    adminToken: world.adminToken ?? '',
    pages: new Map([
      ['overview', '/'],
      ['release', `/releases/${walking}`],
      ['rolled-back', `/releases/${bad}`],
      ['new', '/new'],
      ['history', '/history'],
      ['audit', '/audit'],
      ['connections', '/connections'],
      ['deliveries', '/deliveries'],
      ['incoming', '/deliveries?side=in'],
      ['tokens', '/tokens'],
    ]),
    async close() {
      await stage.close();
      await receiver.close();
    },
  };
}

const until = async ({ world }: Stage, id: string, what: string): Promise<void> => {
  const answer = await fetch(`${world.url}/v1/releases/${id}/wait?until=${what}&timeout=60s`, {
    headers: { authorization: `Bearer ${world.adminToken}` },
  });
  const said = (await answer.json()) as { readonly reached?: boolean };
  if (!answer.ok) throw new Error(JSON.stringify(said));
};

/** One address that takes what it is told, and one that does not. */
async function openReceiver(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    request.resume();
    response.statusCode = request.url === '/well' ? 204 : 400;
    response.end();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    async close() {
      server.closeAllConnections();
      await new Promise<void>((done) => server.close(() => done()));
    },
  };
}
