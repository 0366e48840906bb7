import * as operations from './operations.ts';
import { testDocuments } from './testing/recorded-schema.ts';

testDocuments(operations);
