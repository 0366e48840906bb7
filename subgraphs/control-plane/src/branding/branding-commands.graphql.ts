import { fromGlobalId } from '@agentstore/kernel/ids';
import { builder } from '../builder.ts';
import { InstancePayload } from '../instances/instance-commands.graphql.ts';
import { mostAllowedDomains } from './allowed-domain.ts';
import { brandInstance } from './brand-instance.ts';
import { ColorSchemeEnum, LauncherPositionEnum } from './branding.graphql.ts';

const InstanceBrandInput = builder.inputType('InstanceBrandInput', {
  description:
    "A change of branding. What is left out stays as it is; null takes it back to the store's default.",
  fields: (t) => ({
    instanceId: t.id({ description: 'The instance.' }),
    brandName: t.string({
      required: false,
      description: 'Name of the agent for visitors, 1 to 60 characters.',
    }),
    logoUrl: t.string({ required: false, description: 'https URL of a picture.' }),
    avatarUrl: t.string({ required: false, description: 'https URL of a picture.' }),
    primaryColor: t.string({ required: false, description: '#rgb or #rrggbb.' }),
    accentColor: t.string({ required: false, description: '#rgb or #rrggbb.' }),
    fontFamily: t.string({
      required: false,
      description: 'Names with commas between them, without quotes: Inter, system-ui, sans-serif.',
    }),
    launcherText: t.string({ required: false, description: 'At most 40 characters.' }),
    position: t.field({
      type: LauncherPositionEnum,
      required: false,
      description: 'Where the launcher sits.',
    }),
    colorScheme: t.field({ type: ColorSchemeEnum, required: false, description: 'Light or dark.' }),
    greeting: t.string({ required: false, description: '1 to 1000 characters; may have several lines.' }),
    suggestedPrompts: t.stringList({
      required: false,
      description: 'In place of the ones before: at most 6 of 1 to 200 characters.',
    }),
    showToolSteps: t.boolean({
      required: false,
      description:
        'Whether visitors see which tools were called, and the beginning of what went in and came out; if not, nothing of it is sent to them.',
    }),
    allowedDomains: t.stringList({
      required: false,
      description: `In place of the ones before, at most ${mostAllowedDomains}: example.com (https alone), *.example.com (all below it, not itself), https://example.com:8443, http://example.com.`,
    }),
    visitorSpendCap: t.field({
      type: 'MicroCredits',
      required: false,
      description: 'Most that the runs of one visitor may cost in 24 hours; at least 1.',
    }),
  }),
});
builder.mutationField('instanceBrand', (t) =>
  t.field({
    type: InstancePayload,
    description:
      "Changes how an instance looks on its owner's sites, and on which ones: no new generation. Needs instance:configure.",
    args: { input: t.arg({ type: InstanceBrandInput, description: 'The change.' }) },
    resolve: (_root, { input: { instanceId, ...written } }, { deps, caller }) =>
      brandInstance(deps, caller, { instanceId: fromGlobalId('Instance', instanceId), written }),
  }),
);
