import { describe, expect, it } from 'vitest';
import { effectiveConfig } from './effective-config.ts';
import {
  decideChange,
  observe,
  withCommitted,
  type Condition,
  type DesiredPhase,
  type InstanceState,
} from './instance.ts';

const instance = (desiredPhase: DesiredPhase, state: InstanceState) => ({
  desiredPhase,
  state,
  config: { tone: 'friendly' },
  toolRules: [],
});

describe('a command', () => {
  it.each<[DesiredPhase, 'pause' | 'resume' | 'terminate', DesiredPhase | 'nothing' | 'INVALID_TRANSITION']>([
    ['Active', 'pause', 'Paused'],
    ['Active', 'resume', 'nothing'],
    ['Active', 'terminate', 'Terminated'],
    ['Paused', 'pause', 'nothing'],
    ['Paused', 'resume', 'Active'],
    ['Paused', 'terminate', 'Terminated'],
    ['Terminated', 'pause', 'INVALID_TRANSITION'],
    ['Terminated', 'resume', 'INVALID_TRANSITION'],
    ['Terminated', 'terminate', 'nothing'],
  ])('on an instance that should be %s: %s → %s', (phase, kind, expected) => {
    const decision = decideChange(instance(phase, 'ACTIVE'), { kind });
    expect(decision.ok ? (decision.value?.desiredPhase ?? 'nothing') : decision.error.code).toBe(expected);
  });

  it('to configure what is so already changes nothing, whatever the order of its members', () => {
    const now = { ...instance('Active', 'ACTIVE'), config: { a: { x: 1, y: 2 }, b: 1 } };
    expect(decideChange(now, { kind: 'configure', config: { b: 1, a: { y: 2, x: 1 } } })).toEqual({
      ok: true,
      value: null,
    });
  });

  it('to configure changes the named settings and nothing else', () => {
    expect(
      decideChange(instance('Paused', 'PAUSED'), { kind: 'configure', config: { greeting: 'Hi' } }),
    ).toMatchObject({
      value: { desiredPhase: 'Paused', config: { tone: 'friendly', greeting: 'Hi' } },
    });
  });
});

describe('an observation', () => {
  const ready = (
    observedGeneration: number,
    status: Condition['status'] = 'True',
    kind = 'GatewayRoute',
  ) => ({
    kind,
    name: 'x',
    conditions: [
      { type: 'Ready', status, reason: 'r', message: 'm', observedGeneration, lastTransitionTime: '' },
    ],
  });
  const all = (observedGeneration: number) =>
    ['GatewayRoute', 'GatewayPolicy', 'ConnectorPolicy'].map((kind) =>
      ready(observedGeneration, 'True', kind),
    );
  const at = (desiredPhase: DesiredPhase, state: InstanceState) => ({
    desiredPhase,
    state,
    desiredGeneration: 3,
    observedGeneration: 2,
  });

  it.each<[string, ReturnType<typeof at>, number, ReturnType<typeof ready>[], InstanceState]>([
    ['ready at the desired generation', at('Active', 'PROVISIONING'), 3, all(3), 'ACTIVE'],
    ['of an older generation', at('Active', 'PROVISIONING'), 2, all(2), 'PROVISIONING'],
    [
      'with one resource not ready',
      at('Active', 'PROVISIONING'),
      3,
      [...all(3), ready(3, 'False')],
      'PROVISIONING',
    ],
    ['that misses a kind of resource', at('Active', 'PROVISIONING'), 3, all(3).slice(1), 'PROVISIONING'],
    ['with a condition of an older generation', at('Active', 'PROVISIONING'), 3, all(2), 'PROVISIONING'],
    ['of nothing at all', at('Active', 'PROVISIONING'), 3, [], 'PROVISIONING'],
    ['paused and ready', at('Paused', 'ACTIVE'), 3, all(3), 'PAUSED'],
    ['not yet paused', at('Paused', 'ACTIVE'), 3, [ready(3, 'Unknown')], 'ACTIVE'],
    ['terminated', at('Terminated', 'PAUSED'), 3, all(3), 'TERMINATED'],
    [
      'of a request that is not noted as committed',
      at('Active', 'REQUESTED'),
      3,
      [ready(3, 'Unknown')],
      'PROVISIONING',
    ],
  ])('%s', (_name, instanceNow, observedGeneration, resources, state) =>
    expect(observe(instanceNow, { observedGeneration, resources }).state).toBe(state),
  );
});

describe('the effective configuration', () => {
  it('is offering ← plan ← instance: later ones win, objects are merged', () => {
    expect(
      effectiveConfig(
        { tone: 'friendly', model: { name: 'a', temperature: 1 } },
        { model: { name: 'b' } },
        { tone: 'formal' },
      ),
    ).toEqual({
      tone: 'formal',
      model: { name: 'b', temperature: 1 },
    });
  });
});

describe('the condition on the way into Git', () => {
  const at = (seconds: number) => new Date(seconds * 1_000);
  const locked = {
    status: 'False',
    reason: 'REPOSITORY_LOCKED',
    message: 'm',
    observedGeneration: 1,
  } as const;
  const committed = { status: 'True', reason: 'Committed', message: 'm', observedGeneration: 1 } as const;

  it('is there only once a commit had to wait, and turns when it was made', () => {
    expect(withCommitted([], committed, at(1))).toBeUndefined();
    const waiting = withCommitted([], locked, at(1))!;
    expect(waiting).toEqual([
      { ...locked, type: 'Committed', resource: 'Git', lastTransitionTime: at(1).toISOString() },
    ]);
    expect(withCommitted(waiting, locked, at(2))).toBeUndefined();
    expect(withCommitted(waiting, { ...locked, observedGeneration: 2 }, at(3))).toMatchObject([
      { observedGeneration: 2, lastTransitionTime: at(1).toISOString() },
    ]);
    expect(withCommitted(waiting, committed, at(4))).toMatchObject([
      { status: 'True', lastTransitionTime: at(4).toISOString() },
    ]);
  });
});
