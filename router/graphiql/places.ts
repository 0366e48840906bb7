import type { ExecutionResult } from 'graphql';
import { ask } from './graph.ts';

/** Where the caller can work: an organization with the ids that the example operations ask for. */
export interface Place {
  readonly id: string;
  readonly name: string;
  readonly ids: Readonly<Record<string, string>>;
}

/** Who the page asks as, in words, and where they can work. */
export interface Viewer {
  readonly name: string;
  readonly places: readonly Place[];
}

interface Organization {
  readonly id: string;
  readonly name: string;
  readonly projects: Edges<{
    readonly id: string;
    readonly instances: Edges<{ readonly id: string; readonly state: string }>;
  }>;
}
interface Edges<Node> {
  readonly edges: readonly { readonly node: Node }[];
}

const viewerQuery = /* GraphQL */ `
  query ConsoleViewer {
    viewer {
      caller
      displayName
      email
      organization {
        ...Place
      }
      memberships {
        organization {
          ...Place
        }
      }
    }
  }
  fragment Place on Organization {
    id
    name
    projects(first: 20) {
      edges {
        node {
          id
          instances(first: 20) {
            edges {
              node {
                id
                state
              }
            }
          }
        }
      }
    }
  }
`;

/** Null for nobody, and for a bearer that does not hold (any more). */
export async function loadViewer(bearer: string): Promise<Viewer | null> {
  const { data } = (await ask(bearer, { query: viewerQuery })) as ExecutionResult<{
    viewer: {
      caller: string;
      displayName: string | null;
      email: string | null;
      organization: Organization | null;
      memberships: { organization: Organization }[];
    } | null;
  }>;
  if (!data?.viewer) return null;
  const { caller, displayName, email, organization, memberships } = data.viewer;
  const places = [...(organization ? [organization] : []), ...memberships.map((one) => one.organization)];
  return {
    name: email ?? displayName ?? (caller === 'API_KEY' ? `API key of ${organization?.name}` : caller),
    places: places.map(placeOf),
  };
}

/** The first project with an instance that runs, else the first of each. */
function placeOf({ id, name, projects }: Organization): Place {
  const all = projects.edges.flatMap(({ node: project }) =>
    project.instances.edges.map(({ node }) => ({ projectId: project.id, instance: node })),
  );
  const best = all.find(({ instance }) => instance.state === 'ACTIVE') ?? all[0];
  const projectId = best?.projectId ?? projects.edges[0]?.node.id;
  return {
    id,
    name,
    ids: {
      organizationId: id,
      ...(projectId ? { projectId } : {}),
      ...(best ? { instanceId: best.instance.id } : {}),
    },
  };
}

interface Sold {
  readonly slug: string;
  readonly product: { readonly channel: string | null } | null;
  readonly plans: readonly { readonly code: string; readonly variant: { readonly id: string } | null }[];
}

/** The ids of the first offering of the catalogue: open to everybody. */
export async function loadCatalogueIds(bearer: string | null): Promise<Record<string, string>> {
  const { data } = (await ask(bearer, {
    query: /* GraphQL */ `
      query ConsoleCatalogue {
        offerings(first: 1) {
          edges {
            node {
              slug
              product {
                channel
              }
              plans {
                code
                variant {
                  id
                }
              }
            }
          }
        }
      }
    `,
  })) as ExecutionResult<{ offerings: Edges<Sold> | null }>;
  const sold = data?.offerings?.edges[0]?.node;
  const variant = sold?.plans.find((plan) => plan.variant)?.variant;
  return {
    ...(sold ? { offeringSlug: sold.slug } : {}),
    ...(sold?.product?.channel ? { channel: sold.product.channel } : {}),
    ...(variant ? { variantId: variant.id } : {}),
  };
}

/** Which thing of which mutation an example further on goes on with. */
const made: readonly (readonly [mutation: string, thing: string, variable: string])[] = [
  ['workspaceAuto', 'organization', 'organizationId'],
  ['workspaceAuto', 'project', 'projectId'],
  ['checkoutCreate', 'checkout', 'checkoutId'],
  ['checkoutComplete', 'order', 'orderId'],
  ['instanceAutoActivate', 'instance', 'instanceId'],
  ['runStart', 'run', 'runId'],
];

/** The ids of what an answer says was made. */
export function idsMadeBy({ data }: ExecutionResult): Record<string, string> {
  const answers = (data ?? {}) as Readonly<
    Record<string, Readonly<Record<string, { readonly id?: unknown } | null>> | null>
  >;
  return Object.fromEntries(
    made.flatMap(([mutation, thing, variable]) => {
      const id = answers[mutation]?.[thing]?.id;
      return typeof id === 'string' ? [[variable, id]] : [];
    }),
  );
}
