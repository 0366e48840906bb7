import { describe, expect, it } from 'vitest';
import { createServiceClient, ServiceError, UnavailableError } from '@agentstore/kernel/http/client';
import { problemResponse } from '@agentstore/kernel/http/problem';
import { untilAnswered } from './runs-client.ts';

/** A call whose other side answers one status after the other, the last one for ever. */
function answering(...statuses: readonly number[]) {
  let asked = 0;
  const service = createServiceClient({
    name: 'runs',
    baseUrl: 'http://runs',
    send: async () => {
      const status = statuses[Math.min(asked++, statuses.length - 1)]!;
      return status === 200
        ? Response.json({ ok: true })
        : problemResponse({ status, code: `CODE_${status}`, title: 'no' });
    },
  });
  const leave = new AbortController();
  return {
    leave,
    asked: () => asked,
    answer: untilAnswered(() => service.call('POST', '/x', {}), leave.signal),
  };
}

describe('a call that is repeated until it is answered', () => {
  it.each([401, 403, 408, 429, 502, 503, 504])('takes %i for "again later"', async (status) => {
    expect(await answering(status, status, status, status, 200).answer).toEqual({ ok: true });
  });

  it('takes a fault of the other side for its answer when it comes again and again', async () => {
    const call = answering(500);
    await expect(call.answer).rejects.toMatchObject({ name: 'ServiceError', status: 500, code: 'INTERNAL' });
    expect(call.asked()).toBe(3);
    expect(await answering(500, 500, 200).answer).toEqual({ ok: true });
  });

  it('takes a refusal for its answer at once', async () => {
    const call = answering(409);
    await expect(call.answer).rejects.toBeInstanceOf(ServiceError);
    expect(call.asked()).toBe(1);
  });

  it('ends when nobody waits for it any more', async () => {
    const call = answering(503);
    call.leave.abort();
    await expect(call.answer).rejects.toBeInstanceOf(UnavailableError);
  });
});
