import { Component, createElement, type ComponentChildren } from 'preact';

/** A component that is drawn again only when one of its props is another: the messages of a long talk stay still while the last one grows. */
export function memo<Props extends object>(view: (props: Props) => ComponentChildren) {
  return class extends Component<Props> {
    override shouldComponentUpdate(next: Props): boolean {
      const before = this.props as Props;
      return (Object.keys(next) as (keyof Props)[]).some((name) => next[name] !== before[name]);
    }
    override render(): ComponentChildren {
      return createElement(view, this.props as Props);
    }
  };
}
