/**
 * A request with the very signal that it is given. A plain Request makes a signal of its own that follows the given one by a weak reference and a
 * finalizer: that takes longer than everything else about a request, keeps it until the whole heap is collected, and an abort is lost with the request.
 */
export class SignalledRequest extends Request {
  readonly #signal: AbortSignal;

  constructor(url: URL, { signal, ...init }: RequestInit & { readonly signal: AbortSignal }) {
    super(url, init);
    this.#signal = signal;
  }

  override get signal(): AbortSignal {
    return this.#signal;
  }
}
