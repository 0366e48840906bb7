import { callerScope } from '@agentstore/kernel/access';
import { fromGlobalId } from '@agentstore/kernel/ids';
import { builder } from '../builder.ts';
import { InstancePayload, payloadOf } from '../instances/instance-commands.graphql.ts';
import { InstanceType } from '../instances/instance.graphql.ts';
import { revokeWidget, setWidgetKeys } from './change-widget.ts';
import { useOf } from './widget-sessions.store.ts';
import { widgetOf } from './widgets.store.ts';

interface InstanceWidget {
  readonly key: string;
  readonly identityKeys: readonly unknown[];
  readonly sessions: number;
  readonly origins: readonly string[];
}

const InstanceWidgetType = builder.objectRef<InstanceWidget>('InstanceWidget').implement({
  description: 'How an instance is on websites.',
  fields: (t) => ({
    key: t.exposeString('key', {
      description:
        'Public key of the widget (wk_…), for the snippet of a page: it names the instance and proves nothing.',
    }),
    identityKeys: t.field({
      type: ['JSON'],
      description: "Public keys (JWK) of the owner's servers, which say who a visitor is.",
      resolve: ({ identityKeys }) => [...identityKeys],
    }),
    activeSessions: t.exposeInt('sessions', {
      description: 'Sessions of visitors that were used in the last 30 days and not ended.',
    }),
    lastOrigins: t.field({
      type: ['String'],
      description: 'The sites of these sessions, at most 10, the one used last first.',
      resolve: ({ origins }) => [...origins],
    }),
  }),
});
builder.objectField(InstanceType, 'widget', (t) =>
  t.field({
    type: InstanceWidgetType,
    description: 'How it is on websites.',
    resolve: ({ id }, _args, { deps, caller }) =>
      deps.db.transaction(callerScope(caller, 'instance:read'), async (tx) => {
        const { widgetKey, identityKeys } = (await widgetOf(tx, id))!;
        return { key: widgetKey, identityKeys, ...(await useOf(tx, id)) };
      }),
  }),
);

const InstanceWidgetKeysSetInput = builder.inputType('InstanceWidgetKeysSetInput', {
  description: 'Who says who a visitor is.',
  fields: (t) => ({
    instanceId: t.id({ description: 'The instance.' }),
    identityKeys: t.field({
      type: ['JSON'],
      description:
        'All keys, at most two: public JWKs with kid, of P-256 (ES256) or Ed25519 (EdDSA); none takes no word for visitors.',
    }),
  }),
});
builder.mutationField('instanceWidgetKeysSet', (t) =>
  t.field({
    type: InstancePayload,
    description:
      "Sets the public keys with which the owner's servers sign who a visitor of the widget is, in place of those before. Needs instance:configure.",
    args: { input: t.arg({ type: InstanceWidgetKeysSetInput, description: 'The keys.' }) },
    resolve: async (_root, { input }, { deps, caller }) =>
      payloadOf(
        await setWidgetKeys(deps, caller, {
          instanceId: fromGlobalId('Instance', input.instanceId),
          identityKeys: input.identityKeys,
        }),
      ),
  }),
);

const InstanceWidgetRevokeInput = builder.inputType('InstanceWidgetRevokeInput', {
  description: 'Whose widget to take back.',
  fields: (t) => ({ instanceId: t.id({ description: 'The instance.' }) }),
});
builder.mutationField('instanceWidgetRevoke', (t) =>
  t.field({
    type: InstancePayload,
    description:
      "Ends all sessions of the widget's visitors within 30 seconds and gives it another key: pages with the one before find no widget. Needs instance:configure.",
    args: { input: t.arg({ type: InstanceWidgetRevokeInput, description: 'The instance.' }) },
    resolve: async (_root, { input }, { deps, caller }) =>
      payloadOf(await revokeWidget(deps, caller, fromGlobalId('Instance', input.instanceId))),
  }),
);
