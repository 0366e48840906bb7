import pg from 'pg';
import { beforeAll, expect, it } from 'vitest';
import { callerScope, organizationScope, type Scope } from '../access.ts';
import { uuidv7 } from '../ids.ts';
import { openTestDatabase, type TestDatabase } from '../testing/database.ts';
import { userCaller, widgetCaller } from '../testing/callers.ts';
import type { Database } from './database.ts';

interface Policy {
  readonly of: string;
  readonly name: string;
  readonly condition: string;
}

let made: TestDatabase & { database: Database };
let policies: readonly Policy[];
const organizationId = uuidv7();
const visitor = widgetCaller({ organizationId, instanceId: uuidv7() });
beforeAll(async () => {
  made = await openTestDatabase('runs');
  const admin = new pg.Client({ connectionString: made.adminUrl });
  await admin.connect();
  const { rows } = await admin.query<Policy>(
    'select schemaname || $1 || tablename as of, policyname as name, qual as condition from pg_policies where cmd <> $2 order by 1, 2',
    ['.', 'INSERT'],
  );
  policies = rows;
  await admin.end();
});

/** The policies of all schemas by which the scope would be shown a row that carries the ids of `visitor`. */
async function showing(scope: Scope): Promise<string[]> {
  const row = JSON.stringify({
    organization_id: organizationId,
    instance_id: visitor.instanceId,
    visitor_id: visitor.visitorId,
  });
  const ofOrganization = JSON.stringify({ id: organizationId });
  const shown: string[] = [];
  for (const { of, name, condition } of policies) {
    const table = of.split('.')[1]!;
    const [answer] = await made.database.transaction(scope, (tx) =>
      tx.sql<{ shows: boolean | null }>(
        `-- ${of}\n select (${condition}) as shows from jsonb_populate_record(null::${of}, $1) as ${table}`,
        [table === 'organization' ? ofOrganization : row],
      ),
    );
    if (answer!.shows) shown.push(`${of} ${name}`);
  }
  return shown;
}

/** What is of nobody in particular: the head of the audit chain. */
const everybodys = ['tools.audit_head everybody'];

it('a visitor is shown what they said, and nothing else of their organization', async () => {
  expect(await showing(callerScope(visitor, 'run:read'))).toEqual([
    'runs.conversation visitor',
    'runs.run visitor',
    'runs.run visitor_cancels',
    'runs.run_key visitor',
    'runs.run_rating visitor',
    ...everybodys,
  ]);
});

it.each<[string, Scope]>([
  ['another visitor', callerScope({ ...visitor, visitorId: uuidv7() }, 'run:read')],
  ['the same one at another instance', callerScope({ ...visitor, instanceId: uuidv7() }, 'run:read')],
  ['one of another organization', callerScope({ ...visitor, organizationId: uuidv7() }, 'run:read')],
  ['one who asks for what visitors may not', callerScope(visitor, 'instance:read')],
])('%s is shown nothing of it', async (_who, scope) => {
  expect(await showing(scope)).toEqual(everybodys);
});

it("every table that knows organizations shows a member their own's rows", async () => {
  const member = userCaller([{ organizationId, role: 'MEMBER' }]);
  const shown = await showing(organizationScope(member, organizationId, 'run:read')!);
  const tables = new Set(policies.filter(({ name }) => name === 'tenant').map(({ of }) => of));
  expect(shown.filter((name) => name.endsWith(' tenant'))).toEqual([...tables].map((of) => `${of} tenant`));
  expect(tables.size).toBeGreaterThan(30);
});
