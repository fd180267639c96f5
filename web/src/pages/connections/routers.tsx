/** Routers: what each can, what its targets serve, and how far that is from what is wanted. */
import type { RouterTestView, RouterView } from '../../../../src/contract/wire-connections.ts';
import type { TargetView } from '../../../../src/contract/wire.ts';
import { call } from '../../api/client.ts';
import type { Page } from '../../api/client.ts';
import { useResource } from '../../api/use-resource.ts';
import { percent, unbroken } from '../../format.ts';
import { Badge } from '../../parts/badge.tsx';
import { BreakerBadge } from '../../parts/state-badge.tsx';
import type { Column } from '../../parts/table.tsx';
import { Table } from '../../parts/table.tsx';
import { Test } from '../../parts/test-result.tsx';
import { Ago, Countdown, Moment } from '../../parts/time.tsx';
import { Places } from './section.tsx';

const EVERY_MS = 5_000;

export const Routers = () => (
  <Places
    title="Routers"
    resource={useResource<Page<RouterView>>('/v1/routers', {
      everyMs: EVERY_MS,
      on: ({ type }) => /^(drift|target)\./.test(type),
    })}
    none="No router is configured."
  >
    {(router) => <Router router={router} />}
  </Places>
);

/** Of the second slot, which is how routers know it; both are said, so that nobody has to know which is which. */
const splitText = ([first, second]: TargetView['slots'], secondBp: number | null): string =>
  secondBp === null ? 'not read back' : unbroken(`${first} ${percent(10_000 - secondBp)}, ${second} ${percent(secondBp)}`);

const TARGETS: readonly Column<TargetView>[] = [
  {
    title: 'Target',
    cell: ({ service, route, cell }) => (
      <>
        <span class="strong">{service}</span>
        <span class="under soft small">
          {route} · {cell}
        </span>
      </>
    ),
  },
  { title: 'Wanted', cell: ({ slots, desiredSecondSlotBp }) => splitText(slots, desiredSecondSlotBp) },
  {
    title: 'Read back',
    cell: ({ slots, verifiedSecondSlotBp, verifiedAt, readAt }) => (
      <>
        {splitText(slots, verifiedSecondSlotBp)}
        {verifiedAt === null ? null : (
          <span class="under soft small">
            since <Moment at={verifiedAt} />
          </span>
        )}
        {readAt == null ? null : (
          <span class="under soft small">
            read again <Ago at={readAt} />
          </span>
        )}
      </>
    ),
  },
  { title: 'State', cell: (target) => <TargetState target={target} /> },
  {
    title: 'When it differs',
    cell: ({ management }) => (management === 'enforce' ? 'it is put right' : 'it is taken as wanted'),
  },
];

function TargetState({ target: { unreachableSince, differs, differsSince } }: { readonly target: TargetView }) {
  if (unreachableSince !== null)
    return (
      <>
        <Badge tone="bad" icon="bad">
          out of reach
        </Badge>
        <span class="under soft small">
          last answered <Ago at={unreachableSince} />
        </span>
      </>
    );
  if (differs !== null)
    return (
      <>
        <Badge tone="warn" icon="warn">
          differs
        </Badge>
        <span class="under small">
          {differs}
          {differsSince == null ? null : (
            <>
              , seen <Ago at={differsSince} />
            </>
          )}
        </span>
      </>
    );
  return (
    <Badge tone="ok" icon="ok">
      as wanted
    </Badge>
  );
}

function Router({ router }: { readonly router: RouterView }) {
  const { name, type, breaker, abilities, targets } = router;
  return (
    <>
      <div class="row spread">
        <div class="row">
          <h3>{name}</h3>
          <span class="soft">{type}</span>
          <BreakerBadge breaker={breaker} />
          {breaker.until === null ? null : (
            <span class="small soft">
              after failures, for <Countdown at={breaker.until} />; taking traffic away is tried all the same
            </span>
          )}
        </div>
      </div>
      {targets.length === 0 ? (
        <p class="soft">No service is split here.</p>
      ) : (
        <Table caption={`Targets of ${name}`} columns={TARGETS} rows={targets} keyOf={({ id }) => id} />
      )}
      <Test
        of={`the router ${name}`}
        run={() => call<RouterTestView>(`/v1/routers/${encodeURIComponent(name)}/test`, { method: 'POST' })}
        said={({ well, ms, targets: tried }) => ({ well, ms, sentence: summary(tried) })}
        more={(result) => <Tried result={result} />}
      />
      <details class="fold">
        <summary>What it can and cannot do</summary>
        <ul class="abilities small">
          {abilities.map((ability) => (
            <li key={ability}>{ability}</li>
          ))}
        </ul>
      </details>
    </>
  );
}

type TriedTarget = RouterTestView['targets'][number];

const summary = (tried: readonly TriedTarget[]): string => {
  const ill = tried.filter(({ well }) => !well);
  if (tried.length === 0) return 'it has no target that could be asked about';
  return ill.length === 0
    ? `${tried.length === 1 ? 'its target' : `all ${tried.length} targets`}: nodes answer, slots are healthy`
    : ill.map(({ target, sentence }) => `${target}: ${sentence}`).join('; ');
};

type TriedNode = TriedTarget['nodes'][number] & Pick<TriedTarget, 'target' | 'slots'>;

const NODES: readonly Column<TriedNode>[] = [
  { title: 'Target', cell: ({ target }) => target },
  { title: 'Node', cell: ({ node }) => <span class="strong">{node}</span> },
  {
    title: 'Answers',
    cell: ({ reachable, detail }) => (
      <>
        <Badge tone={reachable ? 'ok' : 'bad'} icon={reachable ? 'ok' : 'bad'}>
          {reachable ? 'yes' : 'no'}
        </Badge>
        {detail === null ? null : <span class="under small soft">{detail}</span>}
      </>
    ),
  },
  {
    title: 'On the second slot',
    cell: ({ servedSecondSlotBp: bp }) => (bp === null ? <span class="soft">does not tell</span> : percent(bp)),
    end: true,
  },
  {
    title: 'Slots',
    cell: ({ slots }) => slots.map(({ slot, healthy }) => `${slot} ${healthy ? 'healthy' : 'not healthy'}`).join(', '),
    wide: true,
  },
];

function Tried({ result }: { readonly result: RouterTestView }) {
  const nodes = result.targets.flatMap(({ target, nodes: of, slots }) => of.map((node) => ({ ...node, target, slots })));
  if (nodes.length === 0) return null;
  return <Table caption="What its nodes said" columns={NODES} rows={nodes} keyOf={({ target, node }) => `${target} ${node}`} />;
}
