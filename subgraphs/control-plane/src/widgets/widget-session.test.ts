import { describe, expect, it } from 'vitest';
import { uuidv7 } from '@agentstore/kernel/ids';
import { makeHandle, nextHandle, parseHandle } from './handle.ts';
import { admission, passageOf, sessionFault, type HeldSession } from './widget-session.ts';

const now = new Date('2026-11-26T12:00:00Z');
const ago = (seconds: number): Date => new Date(now.getTime() - seconds * 1_000);
const day = 86_400;
const [instanceId, visitorId] = [uuidv7(), uuidv7()];
const origin = 'https://shop.example';
const held: HeldSession = {
  id: uuidv7(),
  organizationId: uuidv7(),
  instanceId,
  visitorId,
  identified: false,
  origin,
  revokedAt: null,
  usedAt: ago(60),
  handleHash: 'current',
  formerHash: 'former',
  replacedAt: ago(60),
  rotationKey: Buffer.alloc(32),
};

describe('a handle', () => {
  const asked: Parameters<typeof passageOf>[1] = {
    instanceId,
    origin,
    handleHash: 'current',
    visitorId: undefined,
    now,
  };
  it.each<[string, Partial<HeldSession> | undefined, Partial<typeof asked>, string]>([
    ['that is current', {}, {}, 'ROTATE'],
    ['that was replaced a minute ago', {}, { handleHash: 'former' }, 'REPEAT'],
    ['that was replaced longer ago', { replacedAt: ago(61) }, { handleHash: 'former' }, 'REUSED'],
    ['that is older', {}, { handleHash: 'older' }, 'REUSED'],
    [
      'that is older, of a session that has only had one',
      { formerHash: null },
      { handleHash: 'older' },
      'REUSED',
    ],
    ['of a session that was ended', { revokedAt: ago(1) }, {}, 'REVOKED'],
    ['of no session', undefined, {}, 'NEW'],
    ['of another widget', { instanceId: uuidv7() }, {}, 'NEW'],
    ['of another widget, and older', { instanceId: uuidv7() }, { handleHash: 'older' }, 'NEW'],
    ['of another site', { origin: 'https://other.example' }, {}, 'NEW'],
    ['of a session unused for 30 days', { usedAt: ago(30 * day) }, {}, 'ROTATE'],
    ['of a session unused for longer', { usedAt: ago(30 * day + 1) }, {}, 'NEW'],
    ['of whom the site vouches for', {}, { visitorId }, 'ROTATE'],
    ['of somebody else than the site vouches for', {}, { visitorId: uuidv7() }, 'NEW'],
    [
      'that is older, although the site vouches for somebody',
      {},
      { handleHash: 'x', visitorId: uuidv7() },
      'REUSED',
    ],
  ])('%s', (_what, session, more, passage) =>
    expect(passageOf(session && { ...held, ...session }, { ...asked, ...more })).toBe(passage),
  );

  it('leads to the same next one for all who ask by it, and to another each time it is replaced', () => {
    const first = makeHandle();
    const key = Buffer.alloc(32, 1);
    const next = nextHandle(first, key);
    expect(nextHandle(parseHandle(first.text)!, key)).toEqual(next);
    expect(next.familyHash).toBe(first.familyHash);
    expect(
      new Set(
        [first, next, nextHandle(first, Buffer.alloc(32, 2)), nextHandle(next, key)].map((one) => one.hash),
      ).size,
    ).toBe(4);
    expect(first.text).toMatch(/^[\w-]{43}$/);
  });

  it.each([
    '',
    'x',
    makeHandle().text.slice(1),
    `${makeHandle().text}A`,
    `${makeHandle().text}=`,
    'ü'.repeat(43),
  ])('is not %j', (text) => expect(parseHandle(text)).toBeUndefined());
});

it.each<[Parameters<typeof admission>[0], string | undefined, object]>([
  [{ state: 'ACTIVE', desiredPhase: 'Active' }, origin, { ok: true, value: origin }],
  [undefined, origin, { error: { code: 'WIDGET_NOT_FOUND' } }],
  [{ state: 'TERMINATED', desiredPhase: 'Terminated' }, undefined, { error: { code: 'WIDGET_NOT_FOUND' } }],
  [{ state: 'ACTIVE', desiredPhase: 'Terminated' }, origin, { error: { code: 'WIDGET_NOT_FOUND' } }],
  [{ state: 'PAUSED', desiredPhase: 'Paused' }, undefined, { error: { code: 'ORIGIN_NOT_ALLOWED' } }],
  [{ state: 'PAUSED', desiredPhase: 'Paused' }, origin, { error: { code: 'INSTANCE_PAUSED' } }],
  [{ state: 'PAUSED', desiredPhase: 'Active' }, origin, { error: { code: 'INSTANCE_PAUSED' } }],
  [{ state: 'ACTIVE', desiredPhase: 'Paused' }, origin, { error: { code: 'INSTANCE_PAUSED' } }],
  [{ state: 'REQUESTED', desiredPhase: 'Active' }, origin, { error: { code: 'INSTANCE_NOT_READY' } }],
  [{ state: 'PROVISIONING', desiredPhase: 'Active' }, origin, { error: { code: 'INSTANCE_NOT_READY' } }],
])('an instance that is %j asked from %s', (instance, from, outcome) =>
  expect(admission(instance, from)).toMatchObject(outcome),
);

it.each<
  [string, HeldSession | undefined, Parameters<typeof admission>[0], string | undefined, string | undefined]
>([
  ['goes on', held, { state: 'ACTIVE', desiredPhase: 'Active' }, origin, undefined],
  [
    'that was ended',
    { ...held, revokedAt: ago(1) },
    { state: 'ACTIVE', desiredPhase: 'Active' },
    origin,
    'SESSION_REVOKED',
  ],
  [
    'that is too old',
    { ...held, usedAt: ago(31 * day) },
    { state: 'ACTIVE', desiredPhase: 'Active' },
    origin,
    'SESSION_REVOKED',
  ],
  ['that is not there', undefined, { state: 'ACTIVE', desiredPhase: 'Active' }, origin, 'SESSION_REVOKED'],
  [
    'of a site that was taken off',
    held,
    { state: 'ACTIVE', desiredPhase: 'Active' },
    undefined,
    'SESSION_REVOKED',
  ],
  [
    'of a terminated instance',
    held,
    { state: 'TERMINATED', desiredPhase: 'Terminated' },
    origin,
    'SESSION_REVOKED',
  ],
  ['of a paused instance', held, { state: 'PAUSED', desiredPhase: 'Paused' }, origin, 'INSTANCE_PAUSED'],
])('a session %s', (_what, session, instance, from, code) =>
  expect(sessionFault(session, admission(instance, from), now)?.code).toBe(code),
);
