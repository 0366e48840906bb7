import { builder } from '../builder.ts';
import { runErrorCodes, type RunError, type RunErrorCode, type RunUsage } from './run.ts';
import { wordsForVisitor, isVisitor } from './visitor.ts';

export const RunStateEnum = builder.enumType('RunState', {
  description: 'Where a run stands.',
  values: {
    QUEUED: { description: 'Paid for and waiting for a runner.' },
    RUNNING: { description: 'Being executed.' },
    CANCELLING: { description: 'Asked to stop.' },
    SUCCEEDED: { description: 'Ended with an answer.' },
    FAILED: { description: 'Ended with an error.' },
    CANCELLED: { description: 'Stopped.' },
  } as const,
});

const UsageStatusEnum = builder.enumType('UsageStatus', {
  description: 'How much of the usage is known.',
  values: {
    REPORTED: { description: 'Every model said what it used.' },
    PARTIAL: { description: 'Some did not, or the run was stopped.' },
    MISSING: { description: 'None said anything.' },
  } as const,
});

const ModelUsageType = builder.objectRef<RunUsage['models'][number]>('ModelUsage').implement({
  description: 'What one model used. Absent is not zero.',
  fields: (t) => ({
    provider: t.exposeString('provider', { description: 'Whose model.' }),
    model: t.exposeString('model', { nullable: true, description: 'Which model.' }),
    inputTokens: t.exposeInt('inputTokens', { nullable: true, description: 'Tokens read.' }),
    outputTokens: t.exposeInt('outputTokens', { nullable: true, description: 'Tokens written.' }),
    totalTokens: t.exposeInt('totalTokens', { nullable: true, description: 'Both.' }),
  }),
});

export const RunUsageType = builder.objectRef<RunUsage>('RunUsage').implement({
  description: 'What a run used.',
  fields: (t) => ({
    status: t.expose('status', { type: UsageStatusEnum, description: 'How much of it is known.' }),
    models: t.field({
      type: [ModelUsageType],
      description: 'Per model.',
      resolve: ({ models }) => [...models],
    }),
    toolCalls: t.exposeInt('toolCalls', { description: 'Calls of tools.' }),
    durationMs: t.exposeInt('durationMs', { description: 'From its start to its end.' }),
  }),
});

const RunErrorCodeEnum = builder.enumType('RunErrorCode', {
  description: 'Why an accepted run failed.',
  values: Object.fromEntries(
    Object.entries(runErrorCodes).map(([code, description]) => [code, { value: code, description }]),
  ) as Record<RunErrorCode, { value: RunErrorCode; description: string }>,
});

export const RunErrorType = builder.objectRef<RunError>('RunError').implement({
  description: 'Why a run failed.',
  fields: (t) => ({
    code: t.field({
      type: RunErrorCodeEnum,
      description: 'The stable reason.',
      resolve: ({ code }) => code,
    }),
    message: t.string({
      description: 'A sentence for people.',
      resolve: (error, _args, { caller }) => (isVisitor(caller) ? wordsForVisitor(error) : error.message),
    }),
    retryable: t.exposeBoolean('retryable', {
      description: 'Whether the same run may work when it is started again.',
    }),
  }),
});
