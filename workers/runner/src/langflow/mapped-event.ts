/** An event of the run's log, before it has a seq. `payload` holds the fields of the graph's type of that name. */
export interface MappedEvent {
  readonly kind: string;
  readonly payload: Readonly<Record<string, unknown>>;
}
