import whoAmI from './examples/01-who-am-i.graphql';
import browse from './examples/02-browse.graphql';
import workspace from './examples/03-workspace.graphql';
import checkout from './examples/04-checkout.graphql';
import activate from './examples/05-activate.graphql';
import watchInstance from './examples/06-watch-instance.graphql';
import run from './examples/07-run.graphql';
import followRun from './examples/08-follow-run.graphql';
import whatItCost from './examples/09-what-it-cost.graphql';
import instances from './examples/10-instances.graphql';

/** An operation to begin from; the first line of its file is its title. */
export interface Example {
  readonly title: string;
  readonly query: string;
  readonly kind: string;
}

/** The main job, in its order. */
export const examples: readonly Example[] = [
  whoAmI,
  browse,
  workspace,
  checkout,
  activate,
  watchInstance,
  run,
  followRun,
  whatItCost,
  instances,
].map((query) => ({
  query,
  title: query.slice(2, query.indexOf('\n')),
  kind: /^(query|mutation|subscription)/m.exec(query)![0],
}));
