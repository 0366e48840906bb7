import type { NodeFailure } from './flow-events.ts';

/** A failing component; becomes `error` frames. */
export class ComponentError extends Error {
  readonly failure: NodeFailure;
  constructor(o: { errorClass: string; text: string; detail?: string; isMissingVariable?: boolean }) {
    super(o.text);
    this.failure = {
      errorClass: o.errorClass,
      text: o.text,
      detail: o.detail ?? o.text,
      isMissingVariable: o.isMissingVariable ?? false,
    };
  }
}
