import { silentLog } from '@agentstore/kernel/log';
import { startIdentity } from '../identity.ts';
import { childOptions } from './config.ts';

// A provider in a process of its own, for the test that kills it.
const identity = await startIdentity({ ...childOptions(), log: silentLog });
process.send?.({ issuer: identity.issuer });
