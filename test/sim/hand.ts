/**
 * Invariant 16, the other half: what somebody lowered by hand stays lowered. Held against nodes that are alone at their
 * target and tell a restart, because a write is of a whole target, and a restart is a reason to raise.
 */
import type { TargetId, Weight } from '../../src/domain/ids.ts';
import { canaryWeight } from '../../src/domain/target.ts';
import type { Oracle, Report } from './oracle.ts';
import type { Change, Node, SimRouter } from './router.ts';

export type Hand = {
  changed(router: SimRouter, change: Change): void;
  /** A process was stopped, or let go on: its old calls may come late. */
  frozen(nowMs: number): void;
};

export type HandWorld = {
  readonly oracle: Oracle;
  readonly report: Report;
  /** Whether the target has one node that tells its restarts. */
  isClear(target: TargetId): boolean;
  /** A write that answers to what was read before the hand was there is sent by then. */
  readonly reactionMs: number;
};

export function hand({ oracle, report, isClear, reactionMs }: HandWorld): Hand {
  const lowered = new Map<Node, { readonly atMs: number; readonly seq: number }>();
  let frozenMs = -Infinity;
  return {
    frozen: (nowMs) => void (frozenMs = nowMs),
    changed({ target, slots }, { node, cause, seq, before, sentAtMs }) {
      const ledger = oracle.targets.get(target)!;
      const canary = (share: Weight): Weight => canaryWeight(slots, oracle.stableOf(ledger.service), share);
      const mine = lowered.get(node);
      lowered.delete(node);
      const isLowered = cause === 'hand' && canary(node.share) < canary(before) && before === ledger.second;
      // A repair whose note was lost leaves the restart as the only thing that is known: it is repaired again.
      const isKnown = ledger.verifiedSeq === ledger.seq && ledger.boots[node.name] === `boot-${node.boot}`;
      if (isLowered && isClear(target) && isKnown) lowered.set(node, { atMs: sentAtMs, seq: ledger.seq });
      const isAnswer = mine !== undefined && Math.max(mine.atMs, frozenMs) + reactionMs < sentAtMs;
      if (cause === 'write' && canary(before) < canary(node.share) && isAnswer && seq === mine.seq)
        report('I16', `${node.name} was lowered by hand and raised again to ${node.share}`);
    },
  };
}
