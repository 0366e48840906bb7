import { randomBytes } from 'node:crypto';
import type { ParseFault } from './faults.ts';

export interface RagflowChunk {
  readonly id: string;
  readonly content: string;
  readonly positions: readonly (readonly number[])[];
}

/** A parse that was started; how far it is follows from the clock. */
export interface Parse {
  readonly startedAt: number;
  readonly fault: ParseFault | undefined;
  /** True once its passing fault was looked at. */
  wasSeen: boolean;
}

export interface RagflowDocument {
  readonly id: string;
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly createdAt: number;
  /** Undefined: never started. */
  parse: Parse | 'STOPPED' | undefined;
  chunks: readonly RagflowChunk[];
}

export interface RagflowDataset {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly createdAt: number;
  /** By id, oldest first. */
  readonly documents: Map<string, RagflowDocument>;
}

/** Everything one account owns: datasets by id. Kept in memory only. */
export type RagflowState = Map<string, RagflowDataset>;

/** As Ragflow's: 32 hexadecimal digits. */
export const newId = (): string => randomBytes(16).toString('hex');

/** A name that is taken gets a number, as Ragflow gives it: `shop(1).md`. */
export function freeName(name: string, taken: readonly string[]): string {
  const [, stem = name, ending = ''] = /^(.+?)(\.[^.]+)?$/.exec(name) ?? [];
  const known = new Set(taken.map((one) => one.toLowerCase()));
  let free = name;
  for (let number = 1; known.has(free.toLowerCase()); number++) free = `${stem}(${number})${ending}`;
  return free;
}
