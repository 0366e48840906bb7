import { expect, it } from 'vitest';
import { closedMutations } from '@agentstore/router/policy/closed-mutations';
import { faultsInRecorded, recordedSdl, testDocuments } from '../../saleor/testing/recorded-schema.ts';
import { closedOperations } from './closed.ts';
import * as operations from './operations.ts';

testDocuments(operations);

it.runIf(recordedSdl !== undefined)(
  'asks for every closed mutation of a running Saleor 3.22, validly',
  () => {
    const closed = closedOperations(recordedSdl!);
    expect(closed.map(({ name }) => name).sort()).toEqual(Object.keys(closedMutations).sort());
    expect(closed.flatMap(({ query }) => faultsInRecorded(query))).toEqual([]);
  },
);
